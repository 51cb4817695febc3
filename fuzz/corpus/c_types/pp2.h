#if defined(X) || defined Y
#define A 1
#elif 1 + 1 == 2 && !defined X
#define A 2
#else
#define A 3
#endif
#ifdef A
#ifndef A
#error never
#else
#define B 1
#endif
#endif
#if UNKNOWN
#if 1
#define C 1
#endif
#else
#define C 2
#endif
#if __has_include(<no/such.h>)
#define D 1
#endif
