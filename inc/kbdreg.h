#ifndef JOS_INC_KBDREG_H
#define JOS_INC_KBDREG_H

// The values that sys_cgetc returns for keys that have no character. These values are above 0xFF,
// so that they differ from every byte that the serial line delivers.
#define KEY_HOME 0x1E0
#define KEY_END  0x1E1
#define KEY_UP   0x1E2
#define KEY_DN   0x1E3
#define KEY_LF   0x1E4 // Left arrow
#define KEY_RT   0x1E5 // Right arrow
#define KEY_PGUP 0x1E6
#define KEY_PGDN 0x1E7
#define KEY_INS  0x1E8
#define KEY_DEL  0x1E9

#endif // JOS_INC_KBDREG_H
