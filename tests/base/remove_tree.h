/* For tests with a folder of their own: it goes, with all that is in it. */
#ifndef TESTS_BASE_REMOVE_TREE_H
#define TESTS_BASE_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>

static inline int remove_tree_entry(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_tree_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
