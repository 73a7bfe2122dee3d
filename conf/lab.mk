# The number of the lab: `make grade` runs ./grade-lab$(LAB).
LAB = 4
