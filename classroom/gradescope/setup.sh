#!/bin/sh
# Gradescope runs this once, when it builds the autograder's image. It installs the packages, and
# builds our tree, with which each submission is graded. One test shows that grading works.

set -eu
cd "${AUTOGRADER:-/autograder}/source/jos"
conf/setup
./grade-lab4 --answers . --base "${AUTOGRADER:-/autograder}/base" faultread
