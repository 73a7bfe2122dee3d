#ifndef JOS_INC_KBDREG_H
#define JOS_INC_KBDREG_H

// The keys that stand for no character, as the keyboard driver gives them to
// whoever reads the console. They lie outside of ASCII, in a byte.
#define KEY_HOME 0xE0
#define KEY_END  0xE1
#define KEY_UP   0xE2
#define KEY_DN   0xE3
#define KEY_LF   0xE4 // The arrow to the left
#define KEY_RT   0xE5 // The arrow to the right
#define KEY_PGUP 0xE6
#define KEY_PGDN 0xE7
#define KEY_INS  0xE8
#define KEY_DEL  0xE9

#endif // JOS_INC_KBDREG_H
