#include "campaign/visit.h"

#include "base/text.h"

#define AGENT_LOOKED_AT 512 /* bytes */

/* Parts of user agents, in lower case. */
static const char *const programs[] = {
	/* Crawlers, and previews of messengers. */
	"bot", "crawl", "spider", "slurp", "facebookexternalhit", "whatsapp", "telegram",
	"discord", "skypeuripreview", "preview", "embedly", "ia_archiver",
	"favicon",
	/* Gateways that look at mail. */
	"barracuda", "mimecast", "proofpoint", "symantec", "messagelabs", "brightcloud", "ironport",
	"cisco-umbrella", "fireeye", "trendmicro", "trend micro", "zscaler", "forcepoint",
	"websense", "sophos", "safelinks", "urldefense", "paloalto", "cloudmark", "vade",
	"virustotal", "bitdefender", "kaspersky", "eset", "netcraft", "scanner", "checkpoint",
	/* Libraries and tools. */
	"curl/", "wget", "python", "go-http-client", "java/", "okhttp", "libwww", "lwp::",
	"apache-httpclient", "httpclient", "ruby", "node-fetch", "axios", "undici", "guzzle",
	"php/", "headless", "phantomjs", "puppeteer", "playwright", "selenium", "winhttp",
	"aiohttp", "scrapy", "postman", "insomnia",
};

static bool has_word(struct slice lower, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_find(lower, slice_of(words[i])) >= 0)
			return true;
	}
	return false;
}

/* What both kinds have in common; VISITOR_PERSON when nothing speaks against it. */
static enum visitor judge(const struct visit *visit, char lower[AGENT_LOOKED_AT],
			  struct slice *agent)
{
	*agent = slice_first(visit->agent, AGENT_LOOKED_AT);
	if (agent->len > 0)
		memcpy(lower, agent->ptr, agent->len);
	ascii_lower_in_place(lower, agent->len);
	agent->ptr = lower;
	if (!slice_equal(visit->method, SLICE("GET")) ||
	    slice_find(visit->purpose, SLICE("prefetch")) >= 0)
		return VISITOR_NOBODY;
	if (agent->len == 0 || has_word(*agent, programs, array_count(programs)))
		return VISITOR_MACHINE;
	return VISITOR_PERSON;
}

/* Mail services that fetch a picture for the reader who looks at it. */
static bool is_image_proxy(struct slice agent)
{
	static const char *const proxies[] = { "googleimageproxy", "yahoomailproxy" };

	return has_word(agent, proxies, array_count(proxies));
}

/* Pictures are fetched when the mail comes in; links by the reader's own browser. */
static bool is_privacy_proxy(struct slice agent, struct slice address)
{
	return slice_equal(agent, SLICE("mozilla/5.0")) ||
	       slice_has_prefix(address, SLICE("17.")) ||
	       slice_has_prefix(address, SLICE("::ffff:17."));
}

enum visitor visit_judge_open(const struct visit *visit)
{
	char lower[AGENT_LOOKED_AT];
	struct slice agent;
	enum visitor visitor = judge(visit, lower, &agent);

	if (visitor == VISITOR_PERSON && is_privacy_proxy(agent, visit->address))
		return VISITOR_MACHINE;
	return visitor;
}

enum visitor visit_judge_click(const struct visit *visit)
{
	char lower[AGENT_LOOKED_AT];
	struct slice agent;
	enum visitor visitor = judge(visit, lower, &agent);

	if (visitor == VISITOR_PERSON && is_image_proxy(agent))
		return VISITOR_MACHINE;
	return visitor;
}
