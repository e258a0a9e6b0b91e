#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, const char *fmt, ...)
{
	va_list args;

	if (!error)
		return false;
	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return false;
}

bool error_set_errno(struct error *error, int code, const char *fmt, ...)
{
	va_list args;
	int n;

	if (!error)
		return false;
	va_start(args, fmt);
	n = vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(error->text))
		snprintf(error->text + n, sizeof(error->text) - (size_t)n, ": %s", strerror(code));
	return false;
}

bool error_prefix(struct error *error, const char *fmt, ...)
{
	char old[ERROR_TEXT_MAX];
	va_list args;
	int n;

	if (!error)
		return false;
	memcpy(old, error->text, sizeof(old));
	va_start(args, fmt);
	n = vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(error->text))
		/* The precision only tells the compiler that cutting is meant. */
		snprintf(error->text + n, sizeof(error->text) - (size_t)n, ": %.*s",
			 (int)sizeof(error->text) - n, old);
	return false;
}
