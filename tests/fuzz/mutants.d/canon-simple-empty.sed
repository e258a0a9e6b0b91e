#file src/dkim/canon.c
#target dkim_canon
#why an empty body has no line end in simple form
s/if \(body->canon == DKIM_SIMPLE && body->hashed_bytes == 0\)/if (false)/
