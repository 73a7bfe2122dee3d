#ifndef JOS_KERN_CHECK_ENVCOMMANDS_H
#define JOS_KERN_CHECK_ENVCOMMANDS_H

struct Env;

// Print a line for each environment: what it does, and what it waits for. The monitor's command
// `envs` and Ctrl-P use this. The caller holds the big lock.
void print_envs(void);

// Return the name of an environment's program.
const char *env_name(const struct Env *e);

// Return the word for what an environment does: "running", for example.
const char *env_status_name(const struct Env *e);

#endif // JOS_KERN_CHECK_ENVCOMMANDS_H
