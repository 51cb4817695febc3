struct floats { float a; double b; _Bool c; __int128 d; };
