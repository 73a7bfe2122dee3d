#ifndef JOS_INC_ERROR_H
#define JOS_INC_ERROR_H

// The error numbers, and the texts that %e prints for them. A call returns an error as a negative
// number, for example -E_INVAL. All errors are in this list: X(number, name, text).
#define ERRORS(X)                                  \
	X(1, E_UNSPECIFIED, "unspecified error")   \
	X(2, E_BAD_ENV, "bad environment")         \
	X(3, E_INVAL, "invalid parameter")         \
	X(4, E_NO_MEM, "out of memory")            \
	X(5, E_NO_FREE_ENV, "out of environments") \
	X(6, E_FAULT, "segmentation fault")        \
	X(7, E_IPC_NOT_RECV, "env is not recving") \
	X(8, E_EOF, "unexpected end of file")

#define X(number, name, text) name = (number),
enum { ERRORS(X) MAXERROR };
#undef X

#endif // JOS_INC_ERROR_H
