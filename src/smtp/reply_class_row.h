/* Private to reply_class*.c: how the rows of the built-in tables are written. */
#ifndef SMTP_REPLY_CLASS_ROW_H
#define SMTP_REPLY_CLASS_ROW_H

#include "smtp/reply_class.h"

#define ROW(name_, ...)                                                                            \
	{                                                                                          \
		.class = SMTP_CLASS_##name_, __VA_ARGS__                                           \
	}
#define FRAGMENTS(...) ((const char *const[]){ __VA_ARGS__ })
#define TEXT(...)                                                                                  \
	.text = FRAGMENTS(__VA_ARGS__), .text_count = array_count(FRAGMENTS(__VA_ARGS__))
#define STATUS(class_, subject_, detail_) .enhanced = { class_, subject_, detail_ }
#define CODE(digits_) .code = (digits_)
#define FROM(provider_) .provider = SMTP_PROVIDER_##provider_
#define STAGE(name_) (1u << SMTP_STAGE_##name_)
#define AT(stages_) .stages = (stages_)
/* No recipient is known yet; no content was seen; it was. */
#define BEFORE_RCPT (STAGE(GREETING) | STAGE(EHLO) | STAGE(HELO) | STAGE(MAIL))
#define ENVELOPE (BEFORE_RCPT | STAGE(RCPT))
#define CONTENT_SENT (STAGE(BODY) | STAGE(DOT))

#endif
