struct later { int x; };
