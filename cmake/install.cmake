# Installation: filled in below the public headers.
