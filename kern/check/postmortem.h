#ifndef JOS_KERN_CHECK_POSTMORTEM_H
#define JOS_KERN_CHECK_POSTMORTEM_H

// Print the state of the kernel after the message of a panic (postmortem.c).
void postmortem(void);

#endif // JOS_KERN_CHECK_POSTMORTEM_H
