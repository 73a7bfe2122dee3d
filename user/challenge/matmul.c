// Multiplies a stream of row vectors by a 3x3 matrix, with one environment for each element of the
// matrix, as in section 6.2 of Hoare's paper "Communicating Sequential Processes" (1978).
//
//	            north  north  north        north: sends zeros
//	              |      |      |
//	    west --> m00 -> m01 -> m02 --> east   west: sends an element of each vector
//	              |      |      |          east: receives and forgets
//	    west --> m10 -> m11 -> m12 --> east   south (the parent): receives the products
//	              |      |      |
//	    west --> m20 -> m21 -> m22 --> east
//	              |      |      |
//	            south  south  south
//
// The elements of a vector move to the east, and sums move to the south. The cell of element m
// receives x and sum, and sends x and sum + m * x. When a cell has sent these, it is free for the
// next vector. So several vectors are in the matrix at the same time.

#include <inc/lib.h>

#include <user/challenge/channel.h>
#include <user/common/testing.h>

#define N       3
#define VECTORS 8

static const int32_t matrix[N][N] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 10 } };

// The ids of all environments, with the borders in row and column 0 and N + 1. The row N + 1 is the
// parent. In a page that all environments share; complete before the first message.
static envid_t (*const grid)[N + 2] = (void *)0x10000000;

static int32_t
vector_element(int v, int i)
{
	return (v + 1) * (i + 2) - 3 * v * (i == 1);
}

static void
cell(int row, int column)
{
	envid_t north = grid[row - 1][column], south = grid[row + 1][column];
	envid_t west = grid[row][column - 1], east = grid[row][column + 1];

	for (int v = 0; v < VECTORS; v++) {
		int32_t x = get(west), sum = get(north);
		put(east, x);
		put(south, sum + matrix[row - 1][column - 1] * x);
	}
}

// What the environment at this place in the grid does.
static void
run(int row, int column)
{
	receive_from(thisenv->env_parent_id); // The grid is complete.
	if (row > 0 && column > 0 && column <= N) {
		cell(row, column);
		return;
	}
	for (int v = 0; v < VECTORS; v++) {
		if (row == 0)
			put(grid[1][column], 0);
		else if (column == 0)
			put(grid[row][1], vector_element(v, row - 1));
		else
			get(grid[row][N]);
	}
}

static bool
is_corner(int row, int column)
{
	return row == 0 && (column == 0 || column == N + 1);
}

static void
make_grid(void)
{
	share_memory(grid, PGSIZE);
	for (int row = 0; row <= N; row++) {
		for (int column = 0; column <= N + 1; column++) {
			envid_t child = is_corner(row, column) ? 0 : must_fork();
			if (child == 0 && !is_corner(row, column)) {
				run(row, column);
				exit();
			}
			grid[row][column] = child;
		}
	}
	for (int column = 1; column <= N; column++)
		grid[N + 1][column] = thisenv->env_id;
	for (int row = 0; row <= N; row++) {
		for (int column = 0; column <= N + 1; column++) {
			if (grid[row][column])
				ipc_send(grid[row][column], 0, NULL, 0);
		}
	}
}

void
umain(int argc, char **argv)
{
	int wrong = 0;

	make_grid();
	for (int v = 0; v < VECTORS; v++) {
		int32_t product[N], right[N] = { 0 };
		for (int i = 0; i < N; i++) {
			product[i] = get(grid[N][i + 1]);
			for (int row = 0; row < N; row++)
				right[i] += vector_element(v, row) * matrix[row][i];
			wrong += product[i] != right[i];
		}
		cprintf("matmul: (%d %d %d) times the matrix is (%d %d %d)\n", vector_element(v, 0),
		    vector_element(v, 1), vector_element(v, 2), product[0], product[1], product[2]);
	}
	if (wrong)
		panic("%d elements are wrong", wrong);
	cprintf("matmul: %d vectors, all products are right\n", VECTORS);
}
