#ifndef JOS_INC_STRING_H
#define JOS_INC_STRING_H

#include <inc/types.h>

// These functions do the same as the functions of the C library with these names. Two functions are
// not in the C library: memfind and strfind are like memchr and strchr, but if they find nothing,
// they return a pointer to the end, not NULL.

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t size);
char *strcpy(char *dst, const char *src);
char *strncpy(char *dst, const char *src, size_t size);
char *strcat(char *dst, const char *src);
size_t strlcpy(char *dst, const char *src, size_t size);
int strcmp(const char *s1, const char *s2);
int strncmp(const char *s1, const char *s2, size_t size);
char *strchr(const char *s, char c);
char *strfind(const char *s, char c);

void *memset(void *dst, int c, size_t len);
void *memcpy(void *dst, const void *src, size_t len); // dst and src must not overlap
void *memmove(void *dst, const void *src, size_t len);
int memcmp(const void *s1, const void *s2, size_t len);
void *memfind(const void *s, int c, size_t len);

// Convert the number at the start of s. base is 2 to 36, or 0. With base 0, the prefix decides: 0x
// means base 16, 0 means base 8, and no prefix means base 10. If endptr is not NULL, *endptr is set
// to the end of the number. A number that is too large for a long wraps around.
long strtol(const char *s, char **endptr, int base);

#endif // JOS_INC_STRING_H
