#ifndef JOS_INC_STRING_H
#define JOS_INC_STRING_H

#include <inc/types.h>

// The functions of the standard C library with these names. memfind and strfind are like memchr and
// strchr, but if they find nothing they return a pointer to the end, not NULL.

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

// Convert the number at the start of s. base is 2 to 36, or 0: then a prefix 0x means 16, a prefix
// 0 means 8, and no prefix 10. If endptr is not NULL, *endptr is set to the end of the number.
long strtol(const char *s, char **endptr, int base);

#endif // JOS_INC_STRING_H
