/*
 * A message on its way to the wire is a list of pieces: views of shared literals and of bytes made
 * for one recipient. One list serves both wire forms: a piece marked `stuffing` is the extra dot
 * in front of a line that starts with a dot, sent behind DATA (RFC 5321 section 4.5.2) and left out
 * behind BDAT (RFC 3030) and from the DKIM hash.
 */
#ifndef BASE_PIECE_H
#define BASE_PIECE_H

#include "base/types.h"

struct piece {
	const char *ptr;
	u32 len;
	bool stuffing;
};

#endif
