#ifndef JOS_INC_STDARG_H
#define JOS_INC_STDARG_H

#include <stdarg.h>

#endif // JOS_INC_STDARG_H
