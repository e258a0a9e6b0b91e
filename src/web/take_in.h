/*
 * Files that are part of the program: TAKE_IN(name, "src/...") makes asset_NAME and asset_NAME_size
 * of it, as the assembler took it in. The Makefile says which object depends on which files.
 */
#ifndef WEB_TAKE_IN_H
#define WEB_TAKE_IN_H

#include "base/types.h"

#define TAKE_IN(name, file) TAKE_IN_DATA(name, ".incbin \"" file "\"\n")

/* The same of what directives of the assembler make, one behind the other. */
#define TAKE_IN_DATA(name, data)                                                                   \
	extern const char asset_##name[];                                                          \
	extern const u64 asset_##name##_size;                                                      \
	__asm__(".section .rodata\n"                                                               \
		".global asset_" #name "\n"                                                        \
		".global asset_" #name "_size\n"                                                   \
		"asset_" #name ":\n"                                                               \
		data                                                                               \
		"asset_" #name "_end:\n"                                                           \
		".balign 8\n"                                                                      \
		"asset_" #name "_size:\n"                                                          \
		".quad asset_" #name "_end - asset_" #name "\n"                                    \
		".previous\n")

#endif
