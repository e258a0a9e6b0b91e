#include "web/front_config.h"

#include "base/text.h"

#include <string.h>

#define SMALL_MAX_KIB 64      /* of a body that a reader of mail sends */
/* Besides the largest file; `hikyaku web` has narrower limits and says so itself. */
#define UPLOAD_MORE_KIB 8192
#define HEAD_MAX 16384	      /* bytes of a request's head */
#define HEAD_SECONDS 20	      /* until all of it is there, handshake included */
#define FILES_EACH 3	      /* a connection's: itself, a file, the role's */
#define FILES_MORE 64
#define TLS_PORT SLICE("443")
#define ARCHIVE "/a" /* with nothing behind it; "/about.html" is a page of the customer's */

/* ---- what goes where ---- */

/* Paths that `hikyaku web` answers. What stands behind '?' may be a secret in any of them. */
static const struct {
	const char *path;
	bool is_secret; /* so may the path be: whose mail it was, or a way in */
	bool is_small;	/* bodies are, and come in any way of HTTP: they are kept here till whole */
} forwarded[] = {
	{ "/api/", false, false },    /* programs */
	{ "/admin/welcome/", true, false }, /* whoever has the link chooses a password */
	{ "/admin", false, false },   /* operators and marketers */
	{ "/assets/", false, false }, /* what their pages are made with */
	{ "/f/", true, true },	      /* forms, and what confirms them */
	{ "/t/", true, true },	      /* clicks, and mail that was opened */
	{ "/u/", true, true },	      /* unsubscribing */
	{ "/p/", true, true },	      /* preferences */
	{ "/v/", true, true },	      /* mail in the browser */
	{ "/i/", false, true },	      /* images of mail */
	{ "/a/", true, false },	      /* the archive */
};

/* Neither queries nor tokens: whoever reads the log could use them. */
#define LOG_HEAD "accesslog.format = \"%%h %%V %%t \\\"%%m "
#define LOG_TAIL " %%H\\\" %%s %%b %%D\"\n"

/* Of every answer; a condition's list takes the place of the list above it, so it is said again. */
static void add_headers(struct buf *out, const struct front_setting *setting, const char *more)
{
	const struct config_www *www = &setting->config->www;

	buf_add_text(out, "setenv.set-response-header = (\"X-Content-Type-Options\" => "
			  "\"nosniff\"");
	if (setting->has_tls && www->hsts_ms > 0)
		buf_add_format(out, ", \"Strict-Transport-Security\" => \"max-age=%llu\"",
			       (unsigned long long)(www->hsts_ms / 1000));
	buf_add_format(out, "%s)\n", more);
}

static void add_role(struct buf *out, const struct front_setting *setting, const char *path)
{
	buf_add_format(out,
		       "\t\"%s\" => ((\"socket\" => \"%s\", \"check-local\" => "
		       "\"disable\", \"disable-time\" => 1)),\n",
		       path, setting->config->web.listen);
}

/*
 * The role looks at a call's key before it takes its body, so bodies are handed on as they come;
 * those without a length are refused then (411), but for those of mail's readers (RFC 8058).
 * Its pages are not compressed: their length would tell of what is secret in them (BREACH).
 */
static void add_forwarding(struct buf *out, const struct front_setting *setting)
{
	const struct config *config = setting->config;
	u32 large_max_kib = (u32)(config->web.upload_max / 1024) + UPLOAD_MORE_KIB;

	buf_add_text(out, "scgi.server = (\n");
	for (size_t i = 0; i < array_count(forwarded); i++)
		add_role(out, setting, forwarded[i].path);
	buf_add_text(out, ")\n");
	for (size_t i = 0; i < array_count(forwarded); i++) {
		buf_add_format(out,
			       "$HTTP[\"url\"] =^ \"%s\" {\n"
			       "\tserver.stream-request-body = %d\n"
			       "\tserver.max-request-size = %u\n"
			       "\tserver.max-read-idle = 60\n"
			       "\tserver.max-write-idle = 120\n"
			       "\tdeflate.mimetypes = ()\n\t",
			       forwarded[i].path, forwarded[i].is_small ? 0 : 2,
			       forwarded[i].is_small ? SMALL_MAX_KIB : large_max_kib);
		add_headers(out, setting, "");
		if (config->www.access_log && forwarded[i].is_secret)
			buf_add_format(out, "\t" LOG_HEAD "%s..." LOG_TAIL, forwarded[i].path);
		buf_add_text(out, "}\n");
	}
	buf_add_text(out, "$HTTP[\"url\"] == \"" ARCHIVE "\" {\n\tdeflate.mimetypes = ()\n\t");
	add_headers(out, setting, "");
	buf_add_text(out, "\tscgi.server = (\n");
	add_role(out, setting, ARCHIVE);
	buf_add_text(out, "\t)\n}\n");
}

/* ---- sockets ---- */

static void add_modules(struct buf *out, const struct front_setting *setting)
{
	buf_add_text(out, "server.modules = (\"mod_access\", \"mod_alias\", \"mod_redirect\", "
			  "\"mod_setenv\", \"mod_indexfile\", \"mod_staticfile\", "
			  "\"mod_deflate\", \"mod_accesslog\", \"mod_scgi\"");
	if (setting->has_limits)
		buf_add_text(out, ", \"mod_limits\"");
	if (setting->has_h2_module)
		buf_add_text(out, ", \"mod_h2\"");
	if (setting->has_tls)
		buf_add_text(out, ", \"mod_openssl\"");
	buf_add_text(out, ")\nserver.compat-module-load = \"disable\"\n");
}

/* "[::]:80" to "[::]" and "80". */
static void cut_endpoint(const char *endpoint, struct slice *host, struct slice *port)
{
	const char *colon = strrchr(endpoint, ':');

	*host = (struct slice){ endpoint, (size_t)(colon - endpoint) };
	*port = slice_of(colon + 1);
}

static bool is_nowhere(const char *endpoint)
{
	return strcmp(endpoint, CONFIG_NOWHERE) == 0;
}

/* Whoever comes in the clear is led to TLS at the same path. */
static void add_redirect(struct buf *out, const struct front_setting *setting)
{
	const struct config_www *www = &setting->config->www;
	struct slice host = SLICE("");
	struct slice port = TLS_PORT;

	for (size_t i = 0; i < www->listen_tls.count; i++) {
		if (!is_nowhere(www->listen_tls.items[i]))
			cut_endpoint(www->listen_tls.items[i], &host, &port);
		if (slice_equal(port, TLS_PORT))
			break;
	}
	buf_add_text(out, "\turl.redirect = (\"\" => \"https://");
	if (slice_equal(port, TLS_PORT))
		buf_add_text(out, "${url.authority}");
	else
		buf_add_format(out, "%s:%.*s", setting->host, SLICE_FMT(port));
	buf_add_text(out, "${url.path}${qsa}\")\n");
}

/* What counts at each plain socket. An authority asks for its challenge there (RFC 8555 8.3). */
static void add_plain_rules(struct buf *out, const struct front_setting *setting)
{
	buf_add_format(out,
		       "$HTTP[\"url\"] =^ \"/.well-known/acme-challenge/\" {\n"
		       "\talias.url = (\"/.well-known/acme-challenge/\" => \"%s" FRONT_CHALLENGES
		       "/\")\n"
		       "\tmimetype.assign = (\"\" => \"text/plain\")\n"
		       "}\n",
		       setting->config->www.run);
	if (!setting->has_tls)
		return;
	buf_add_text(out, "else $HTTP[\"scheme\"] == \"http\" {\n");
	add_redirect(out, setting);
	buf_add_text(out, "}\n");
}

static void add_sockets(struct buf *out, const struct front_setting *setting)
{
	const struct config_www *www = &setting->config->www;
	struct slice host;
	struct slice port;

	cut_endpoint(www->listen.items[0], &host, &port);
	buf_add_format(out, "server.bind = \"%.*s\"\nserver.port = %.*s\n", SLICE_FMT(host),
		       SLICE_FMT(port));
	for (size_t i = 1; i < www->listen.count; i++)
		buf_add_format(out, "$SERVER[\"socket\"] == \"%s\" { }\n", www->listen.items[i]);
	for (size_t i = 0; setting->has_tls && i < www->listen_tls.count; i++) {
		if (!is_nowhere(www->listen_tls.items[i]))
			buf_add_format(out,
				       "$SERVER[\"socket\"] == \"%s\" {\n"
				       "\tssl.engine = \"enable\"\n"
				       "\tssl.pemfile = \"%s" FRONT_PEM "\"\n"
				       "\tssl.openssl.ssl-conf-cmd = (\"MinProtocol\" => "
				       "\"TLSv1.2\")\n"
				       "}\n",
				       www->listen_tls.items[i], www->folder);
	}
}

/* ---- files ---- */

static const char kinds_of_files[] =
	"mimetype.assign = (\n"
	"\t\".html\" => \"text/html; charset=utf-8\", \".htm\" => \"text/html; charset=utf-8\",\n"
	"\t\".css\" => \"text/css; charset=utf-8\", \".txt\" => \"text/plain; charset=utf-8\",\n"
	"\t\".js\" => \"text/javascript; charset=utf-8\", \".mjs\" => \"text/javascript; "
	"charset=utf-8\",\n"
	"\t\".json\" => \"application/json\", \".webmanifest\" => \"application/manifest+json\",\n"
	"\t\".xml\" => \"application/xml\", \".csv\" => \"text/csv; charset=utf-8\",\n"
	"\t\".svg\" => \"image/svg+xml\", \".png\" => \"image/png\", \".jpg\" => \"image/jpeg\",\n"
	"\t\".jpeg\" => \"image/jpeg\", \".gif\" => \"image/gif\", \".webp\" => \"image/webp\",\n"
	"\t\".avif\" => \"image/avif\", \".ico\" => \"image/vnd.microsoft.icon\",\n"
	"\t\".woff\" => \"font/woff\", \".woff2\" => \"font/woff2\", \".pdf\" => "
	"\"application/pdf\",\n"
	"\t\".mp4\" => \"video/mp4\", \".webm\" => \"video/webm\", \".mp3\" => \"audio/mpeg\",\n"
	"\t\".zip\" => \"application/zip\", \"\" => \"application/octet-stream\"\n"
	")\n";

/* No link leads out of the folder, and what begins with a dot is nobody's business. */
static void add_files(struct buf *out, const struct front_setting *setting)
{
	buf_add_format(out,
		       "server.document-root = \"%s\"\n"
		       "server.follow-symlink = \"disable\"\n"
		       "index-file.names = (\"index.html\")\n"
		       "url.access-deny = (\"~\", \".bak\", \".swp\")\n"
		       "$HTTP[\"url\"] =^ \"/.well-known/\" { }\n"
		       "else $HTTP[\"url\"] =^ \"/.\" {\n"
		       "\turl.access-deny = (\"\")\n"
		       "}\n"
		       "deflate.mimetypes = (\"text/\", \"image/svg+xml\", \"application/json\", "
		       "\"application/xml\")\n"
		       "deflate.allowed-encodings = (\"gzip\")\n",
		       setting->pages);
	buf_add_text(out, kinds_of_files);
}

static void add_limits(struct buf *out, const struct front_setting *setting)
{
	const struct config_www *www = &setting->config->www;

	buf_add_format(out,
		       "server.max-connections = %u\n"
		       "server.max-fds = %u\n"
		       "server.max-request-size = %u\n"
		       "server.max-request-field-size = %u\n"
		       "server.max-keep-alive-idle = 10\n"
		       "server.max-read-idle = %u\n"
		       "server.max-write-idle = 60\n",
		       www->connections, www->connections * FILES_EACH + FILES_MORE,
		       SMALL_MAX_KIB, HEAD_MAX, HEAD_SECONDS);
	if (setting->has_limits)
		buf_add_format(out,
			       "limits.connections-per-client = %u\n"
			       "limits.head-seconds = %u\n",
			       www->connections_per_client, HEAD_SECONDS);
}

bool front_config_make(const struct front_setting *setting, struct buf *out)
{
	const struct config_www *www = &setting->config->www;

	buf_add_text(out, "# Made by `hikyaku www` from hikyaku.conf, section www: what is changed "
			  "here is lost.\n");
	add_modules(out, setting);
	buf_add_format(out,
		       "server.upload-dirs = (\"%s\")\n"
		       "server.tag = \"\"\n"
		       /* A new generation has its sockets from the one before. */
		       "server.systemd-socket-activation = \"enable\"\n"
		       /* A new generation serves at once; the one before has this long for what
			* it began. */
		       "server.feature-flags = (\"server.graceful-restart-bg\" => \"enable\", "
		       "\"server.graceful-shutdown-timeout\" => %u)\n",
		       www->run, FRONT_GRACE_S);
	if (www->access_log)
		buf_add_format(out, "accesslog.filename = \"%s" FRONT_ACCESS_LOG "\"\n" LOG_HEAD
			       "%%U" LOG_TAIL, www->folder);
	add_limits(out, setting);
	add_headers(out, setting, ", \"Referrer-Policy\" => \"strict-origin-when-cross-origin\"");
	add_files(out, setting);
	add_sockets(out, setting);
	add_plain_rules(out, setting);
	add_forwarding(out, setting);
	return !out->failed;
}
