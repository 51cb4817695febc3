struct with_enum { enum e a; enum small b; char c; };
