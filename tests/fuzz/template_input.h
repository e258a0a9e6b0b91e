/*
 * What the targets around message_compile are fed: one byte of options, then template, name, note,
 * link, separated by the byte 0x1e; and the mutator that knows what templates are made of.
 */
#ifndef TESTS_FUZZ_TEMPLATE_INPUT_H
#define TESTS_FUZZ_TEMPLATE_INPUT_H

#include "base/check.h"
#include "base/text.h"
#include "message/message.h"

#define LINES_HEAD 1

static const struct slice known_lines[] = {
	SLICE("\n"),
	SLICE("From: News <a@example.jp>\n"),
	SLICE("To: {{name}} <{{email}}>\n"),
	SLICE("Subject: {{name|trim|default:\"friend\"}}, =?utf-8?q?=C3=A9?= \xe3\x81\x82\n"),
	SLICE("Message-ID: <{{_token}}@x>\n"),
	SLICE("List-Unsubscribe: <https://u.test/{{_token}}?n={{name}}>, <mailto:u@x.test>\n"),
	SLICE("MIME-Version: 1.0\n"),
	SLICE("Content-Type: multipart/mixed; boundary=b\n"),
	SLICE("Content-Type: multipart/alternative; boundary=\"c d\"; x=y\n"),
	SLICE("Content-Type: multipart/signed; boundary=b; protocol=\"a/b\"\n"),
	SLICE("Content-Type: text/plain; charset=utf-8; format=flowed\n"),
	SLICE("Content-Type: text/html; charset=\"us-ascii\"\n"),
	SLICE("Content-Type: text/plain; charset=iso-8859-1\n"),
	SLICE("Content-Type: image/png; name=\"\xe5\x9b\xb3.png\"; name*=utf-8''a%20b\n"),
	SLICE("Content-Type: message/rfc822\n"),
	SLICE("Content-Transfer-Encoding: base64\n"),
	SLICE("Content-Transfer-Encoding: quoted-printable\n"),
	SLICE("Content-Transfer-Encoding: 8bit\n"),
	SLICE("Content-Transfer-Encoding: 7bit\n"),
	SLICE("Content-Disposition: attachment; filename=\"=?utf-8?b?44GC?=.txt\"\n"),
	SLICE("Content-Disposition: inline; filename=\xe3\x81\x82; filename*0=\"x\"\n"),
	SLICE("Content-ID: <x@y>\n"),
	SLICE("Content-Description: \xe8\xaa\xac\xe6\x98\x8e\n"),
	SLICE(" folded; line=\"x\"\n"),
	SLICE("--b\n"),
	SLICE("--b--\n"),
	SLICE("--c d\n"),
	SLICE("--c d--\n"),
	SLICE("PHA+eDwvcD4=\n"),
	SLICE("AAECAwQFBgcICQoLDA0ODw==\n"),
	SLICE("=E3=81=82 soft=\n"),
	SLICE("=2E=46rom {{name}} \t\n"),
	SLICE(".dot\n"),
	SLICE("From here on\n"),
	SLICE("<p title=\"{{note}}\"><a href=\"https://x.test/?q={{link}}\">{{name|raw}}</a>\n"),
	SLICE("<!-- {{note}} --><script>1</script><style>x</style>\n"),
	SLICE("\xef\xbd\xb6\xef\xbe\x9e\xe3\x81\xaf\xe3\x82\x9a {{name}}\n"),
	SLICE("{{name}}"),
	SLICE("{{note|upper}}"),
	SLICE("{{link|url}}"),
	SLICE("{{email|lower}}"),
	SLICE("{{_campaign}}{{_date}}{{{{"),
	SLICE("{{#if name}}"),
	SLICE("{{#if note|lower = \"x\" and not (link > 5 or name contains note)}}\n"),
	SLICE("{{#elif link empty}}"),
	SLICE("{{#else}}"),
	SLICE("{{/if}}\n"),
	SLICE("{{#each name as n}}"),
	SLICE("{{#each this.a}}\n"),
	SLICE("{{this}}{{n.a}}{{item.b|number}}{{_index}}"),
	SLICE("{{#if not _last}}, {{/if}}"),
	SLICE("{{/each}}"),
	SLICE("{{note|date:\"YYYY-MM-DD ddd aaa ggge\"}}"),
	SLICE("{{>foot}}"),
	SLICE("{{>loop}}\n"),
	SLICE("\xfd\x01" "a\x07\xfe\x01" "a\x03\xfd\x01" "b\x00"),
	SLICE("\x1e"),
	SLICE("a line of some length, to be longer than the others when it comes often; "),
};

#include "line_mutator.h"

struct template_input {
	struct message_source source;
	struct message_options options;
	struct slice values[3];
};

static bool template_input_block(void *owner, struct slice name, bool html, struct slice *text)
{
	(void)owner;
	if (slice_equal(name, SLICE("loop"))) {
		*text = SLICE("x {{>loop}}");
		return true;
	}
	*text = html ? SLICE("<p>{{name}}</p>\r\n{{#if note}}\n<b>\n{{/if}}\n")
		     : SLICE("{{>inner}}{{#each name}}\n* {{this}}\n{{/each}}\n.");
	return slice_equal(name, SLICE("foot")) ||
	       (slice_equal(name, SLICE("inner")) && ((*text = SLICE("--\r{{email}}")), true));
}

static void template_input_read(struct template_input *in, const u8 *data, size_t size)
{
	static const struct slice columns[] = { SLICE("name"), SLICE("note"), SLICE("link") };
	static const struct message_blocks blocks = { .find = template_input_block };
	struct slice rest = slice_from((struct slice){ (const char *)data, size }, 1);
	u8 flags = data[0];

	*in = (struct template_input){
		.source = { .name = "fuzz", .headers = SLICE("From: a@example.jp\n") },
		.options = { .charset = flags & 1 ? MESSAGE_ISO_2022_JP : MESSAGE_UTF8,
			     .encoding = flags & 2 ? MESSAGE_ENCODING_8BIT : MESSAGE_ENCODING_AUTO,
			     .columns = columns,
			     .column_count = array_count(columns),
			     .unsubscribe_url =
				     flags & 4 ? SLICE("https://u.test/{{_token}}/{{name}}")
					       : SLICE_NONE,
			     .unsubscribe_mailto = flags & 32 ? SLICE("u+{{_token}}@example.jp")
							      : SLICE_NONE,
			     .blocks = &blocks,
			     .require_unsubscribe = flags & 64,
			     .literal = flags & 128 },
	};
	if ((flags & 24) == 24) { /* text and HTML beside each other */
		in->source.text = slice_split(&rest, '\x1e');
		in->source.html = slice_split(&rest, '\x1e');
	} else {
		*(flags & 8    ? &in->source.text
		  : flags & 16 ? &in->source.html
			       : &in->source.whole) = slice_split(&rest, '\x1e');
	}
	for (size_t i = 0; i < array_count(in->values); i++)
		in->values[i] = slice_split(&rest, '\x1e');
}

#endif
