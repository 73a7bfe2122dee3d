"""Cheats: answers that try to get points without solving an exercise.

They are changes of our answers. Most start from WEAK, without exercise 7: sys_exofork fails, so a
program has no child. A cheat is {file: [(old text, new text)]}. Files that are no answers come with
the submission, too.
"""

from tests.support import TREE
from tools.grade.answers import ANSWERS


def our_answers():
    """{name: text} of our answer files. They belong to the whole project: --whole."""
    answers = {}
    for name in ANSWERS:
        with open(TREE.path(*name.split("/")), encoding="utf-8") as f:
            answers[name] = f.read()
    return answers


WEAK = {"kern/syscall.c": [(
    "sys_exofork(void)\n{\n", "sys_exofork(void)\n{\n\tif (curenv)\n\t\treturn -E_NO_FREE_ENV;\n")]}

# What dumbfork prints, as a kernel would print it.
DUMBFORK = r"""
	cprintf("[00000000] new env 00001000\n[00001000] new env 00001001\n");
	for (int i = 0; i < 20; i++)
		cprintf("%d: I am the parent!\n%d: I am the child!\n", i % 10, i);
	for (int i = 0; i < 2; i++)
		cprintf("[0000100%d] exiting gracefully\n[0000100%d] free env 0000100%d\n", i, i, i);
"""
# The same with a real end, so that nothing else is wrong.
FORKTREE = """
	static const char *const paths[] = { "", "0", "1", "00", "01", "10", "11", "000", "001",
		"010", "011", "100", "101", "110", "111" };
	for (int i = 0; i < 15; i++)
		cprintf("1000: I am '%s'\\n", paths[i]);
	for (int i = 0; i < 2; i++)
		cprintf("[0000100%d] exiting gracefully\\n[0000100%d] free env 0000100%d\\n", i, i, i);
	cprintf("[00002001] exiting gracefully\\n[00002001] free env 00002001\\n");
	exit();
"""

# In kern/init.c
START = "\tstart_programs(boot_cmdline);\n"
# In kern/syscall.c
GETENVID = "sys_getenvid(void)\n{\n"
# In lib/fork.c: a place between functions, and the beginning of fork
PLACE = "// ---- The pages ----\n"
FORK = "\nfork(void)\n{\n"

# The kernel prints the lines of dumbfork.
KERNEL_PRINTS = {"kern/init.c": [(START, DUMBFORK + START)]}

# The kernel prints them when the program makes its first call.
CALL_PRINTS = {"kern/syscall.c": [(GETENVID, GETENVID + """
	static bool once;

	if (!once) {
		once = true;""" + DUMBFORK + "\t}\n")]}

# The kernel knows which program a grade has started, from its name.
NAME_IS_KNOWN = {"kern/init.c": [
    (START, "\tif (strncmp(boot_cmdline, \"dumbfork\", 8) == 0) {" + DUMBFORK
     + "\tpanic(\"done\");\n\t}\n" + START)]}

# A program is in the submission, with other text.
PROGRAM = {"user/dumbfork.c": "#include <inc/lib.h>\n\nvoid\numain(int argc, char **argv)\n{\n"
                              + DUMBFORK + "}\n"}

# The grade, a test, a header and the makefiles are in the submission. If one of them is used, it
# makes a file.
FORGED = {
    "grade-lab4": "#!/bin/sh\ntouch MARK\necho 'Score: 80/80'\n",
    "tools/grade/gradelib.py": "open('MARK', 'w')\n",
    "GNUmakefile": "$(shell touch MARK)\nall:\n",
    "kern/Makefrag": "$(shell touch MARK)\n",
    "conf/env.mk": "$(shell touch MARK)\nDEFS = -DCHEAT\n",
    "inc/stdio.h": "#define CHEAT\n",
    "tests/support.py": "open('MARK', 'w')\n",
}

# fork prints the lines of forktree.
LIBRARY_PRINTS = {"lib/fork.c": [(FORK, FORK + FORKTREE)]}

# The library has a cprintf without seals, or the program itself.
REPLACES_CPRINTF = {"lib/fork.c": [
    (PLACE, PLACE + "\nint\ncprintf(const char *fmt, ...)\n{\n\treturn 0;\n}\n")]}
REPLACES_UMAIN = {"lib/fork.c": [
    (PLACE, PLACE + "\nvoid\numain(int argc, char **argv)\n{\n\texit();\n}\n")]}

# exofork starts the program a second time, as if it was the child.
SECOND_START = {"kern/syscall.c": [("sys_exofork(void)\n{\n", """sys_exofork(void)
{
	static int calls;

	if (calls++ == 1)
		return 0;
	if (calls == 1 && env_create(curenv->env_program, "x", 1, ENV_TYPE_USER) == 0) {
		envs[1].env_parent_id = curenv->env_id;
		curenv->env_has_children = true;
		return envs[1].env_id;
	}
""")]}

# One CPU claims to be all four.
ONE_CPU = {"kern/sched.c": [
    ("\tassert(kernel_locked());\n\t// If e is ENV_RUNNABLE,", """
	assert(kernel_locked());
	while (c != bootcpu) {
		c->cpu_status = CPU_STOPPED;
		unlock_kernel();
		__asm__ volatile("sti; hlt; cli");
		lock_kernel();
	}
	static int turns;
	turns++;
	for (int i = 0; i < NENV; i++)
		envs[i].env_cpunum = turns % 4;
	// If e is ENV_RUNNABLE,""")]}

# The kernel prints without end, hangs, or makes the machine reset.
FLOOD = {"kern/init.c": [(START, "\tfor (;;)\n\t\tcprintf(\"flood\\n\");\n")]}
HANG = {"kern/init.c": [(START, "\tfor (;;)\n\t\t;\n")]}
CRASH = {"kern/init.c": [
    (START, "\tstruct Pseudodesc none = { 0 };\n\tlidt(&none);\n\t__asm__ volatile(\"ud2\");\n")]}

# Attacks on the compiler.
INCLUDES_PASSWD = {"kern/ipc.c": [("#include <inc/assert.h>\n",
                                   "#include \"/etc/passwd\"\n#include <inc/assert.h>\n")]}
INCLUDES_BY_MACRO = {"kern/ipc.c": [("#include <inc/assert.h>\n", """
#define FILE "/dev/null"
#include FILE
#include <inc/assert.h>
""")]}
INCBIN = {"kern/trapentry.S": [("\t.text\n", "\t.text\n\t.incbin \"/etc/passwd\"\n")]}
HUGE = {"kern/ipc.c": [("#include <inc/assert.h>\n",
                        "#include <inc/assert.h>\nchar huge[1 << 30] = { 1 };\n")]}
