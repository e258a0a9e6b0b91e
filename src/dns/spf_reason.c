#include "dns/spf_reason.h"

static const struct {
	const char *name;
	const char *text;
} reasons[SPF_REASONS] = {
	[SPF_REASON_NONE] = { NULL, "" },
	[SPF_REASON_MATCHED] = { "spf-matched", "matched" },
	[SPF_REASON_NO_TERM] = { "spf-no-term", "no term matched" },
	[SPF_REASON_SEVERAL] = { "spf-several", "there is more than one record" },
	[SPF_REASON_UNREADABLE] = { "spf-unreadable", "the record cannot be read" },
	[SPF_REASON_TERMS] = { "spf-terms", "more than 10 terms ask DNS" },
	[SPF_REASON_VOIDS] = { "spf-voids", "more than 2 questions find nothing, the last is" },
	[SPF_REASON_MX_HOSTS] = { "spf-mx-hosts", "more than 10 MX hosts" },
	[SPF_REASON_INCLUDED] = { "spf-included", "what is included has no record" },
	[SPF_REASON_REDIRECTED] = { "spf-redirected", "it leads to no record" },
	[SPF_REASON_NAME] = { "spf-name", "not a full domain name" },
	[SPF_REASON_NO_MECHANISM] = { "spf-no-mechanism", "there is no such mechanism" },
	[SPF_REASON_NO_QUALIFIER] = { "spf-no-qualifier", "a modifier has no qualifier" },
	[SPF_REASON_VALUE] = { "spf-value", "its value is malformed" },
	[SPF_REASON_COLON] = { "spf-colon", "only a colon and a name may follow" },
	[SPF_REASON_BEHIND_ALL] = { "spf-behind-all", "nothing may follow \"all\"" },
	[SPF_REASON_NO_ADDRESS] = { "spf-no-address", "an address is missing" },
	[SPF_REASON_ADDRESS] = { "spf-address", "that is no address" },
	[SPF_REASON_PREFIX] = { "spf-prefix", "the prefix length is wrong" },
	[SPF_REASON_NO_DOMAIN] = { "spf-no-domain", "a domain name is missing" },
	[SPF_REASON_DOMAIN] = { "spf-domain", "that is no domain name" },
	[SPF_REASON_TWICE] = { "spf-twice", "it is there twice" },
	[SPF_REASON_FAILED] = { "spf-failed", "no useful answer" },
	[SPF_REASON_TIMEOUT] = { "spf-timeout", "no answer in time" },
	[SPF_REASON_BOGUS] = { "spf-bogus", "bogus" },
};

const char *spf_reason_name(enum spf_reason reason)
{
	return reasons[reason].name;
}

const char *spf_reason_text(enum spf_reason reason)
{
	return reasons[reason].text;
}

enum spf_reason spf_reason_of(enum question_status status)
{
	return status == QUESTION_BOGUS     ? SPF_REASON_BOGUS
	       : status == QUESTION_TIMEOUT ? SPF_REASON_TIMEOUT
					    : SPF_REASON_FAILED;
}
