#include "base/smtp_class.h"

#include "base/text.h"

enum about { ABOUT_NOTHING, ABOUT_RECIPIENT, ABOUT_MESSAGE, ABOUT_SENDER, ABOUT_HOST };

static const struct fact {
	const char *name;
	enum about about;
} facts[] = {
	[SMTP_CLASS_NONE] = { "", ABOUT_NOTHING },
	[SMTP_CLASS_UNKNOWN] = { "unknown", ABOUT_NOTHING },
	[SMTP_CLASS_BAD_MAILBOX] = { "bad-mailbox", ABOUT_RECIPIENT },
	[SMTP_CLASS_MAILBOX_FULL] = { "mailbox-full", ABOUT_RECIPIENT },
	[SMTP_CLASS_POLICY] = { "policy", ABOUT_MESSAGE },
	[SMTP_CLASS_CONTENT] = { "content", ABOUT_MESSAGE },
	[SMTP_CLASS_REPUTATION] = { "reputation", ABOUT_SENDER },
	[SMTP_CLASS_RATE] = { "rate", ABOUT_SENDER },
	[SMTP_CLASS_AUTH_FAILURE] = { "auth-failure", ABOUT_SENDER },
	[SMTP_CLASS_DNS] = { "dns", ABOUT_SENDER },
	[SMTP_CLASS_GREYLISTED] = { "greylisted", ABOUT_MESSAGE },
	[SMTP_CLASS_TRANSIENT_HOST] = { "transient-host", ABOUT_HOST },
	[SMTP_CLASS_PROTOCOL] = { "protocol", ABOUT_HOST },
};
_Static_assert(array_count(facts) == SMTP_CLASS_COUNT, "every class has its facts");

static const struct fact *fact_of(u32 class)
{
	return &facts[class < array_count(facts) ? class : SMTP_CLASS_NONE];
}

const char *smtp_class_name(u32 class)
{
	return fact_of(class)->name;
}

bool smtp_class_find(struct slice name, enum smtp_class *class)
{
	for (u32 i = SMTP_CLASS_UNKNOWN; i < SMTP_CLASS_COUNT; i++) {
		if (!slice_equal(name, slice_of(facts[i].name)))
			continue;
		*class = i;
		return true;
	}
	return false;
}

bool smtp_class_is_about_recipient(enum smtp_class class)
{
	return fact_of(class)->about == ABOUT_RECIPIENT;
}

bool smtp_class_is_about_message(enum smtp_class class)
{
	return fact_of(class)->about == ABOUT_MESSAGE;
}

bool smtp_class_is_about_sender(enum smtp_class class)
{
	return fact_of(class)->about == ABOUT_SENDER;
}

bool smtp_class_is_about_host(enum smtp_class class)
{
	return fact_of(class)->about == ABOUT_HOST;
}
