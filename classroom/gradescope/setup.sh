#!/bin/sh
# Gradescope runs this once, when it builds the autograder's image. It installs the packages, and
# builds the tree with which each submission is graded.

set -eu
cd "${AUTOGRADER:-/autograder}/source/jos"
conf/setup
./grade-lab4 --base "${AUTOGRADER:-/autograder}/base"
