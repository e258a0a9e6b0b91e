#include "console/command_table.h"

#include "base/check.h"

/*
 * The order is the order of help; behind these come those of command_table_machine.c. Texts end
 * without a line feed; examples are indented by two.
 */
static const struct command rows[] = {
	{ "campaign", "create", campaign_create_run, 0, "import a template and its recipients",
	  "--name NAME --customer DOMAIN\n"
	  "           --template FILE --recipients FILE",
	  "Makes a campaign from a template and a CSV file. The first line of the CSV\n"
	  "names the columns; `email` must be among them, the others are merge fields:\n"
	  "{{name}} in the template becomes what stands in the column `name`.\n"
	  "Rows that cannot be mailed (bad address, duplicate, wrong number of columns)\n"
	  "are refused one by one, with line and reason; the rest goes in. Nothing is\n"
	  "created when the template is refused or the import is interrupted.\n"
	  "\n"
	  "The template is a whole message (--template news.eml), or header fields and\n"
	  "one or two texts from which the message is made (--headers, --text, --html).\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku campaign create --name spring --customer example.jp \\\n"
	  "      --template news.eml --recipients list.csv --rejects refused.csv --start\n"
	  "  hikyaku campaign create --name spring --customer example.jp \\\n"
	  "      --headers head.txt --text body.txt --html body.html --recipients list.csv\n"
	  "  generate-list | hikyaku campaign create --name daily --customer example.jp \\\n"
	  "      --template news.eml --recipients -" },
	{ "campaign", "start", campaign_start_run, 0, "begin to send", "ID|NAME",
	  "Starts a campaign that is ready. Its number or its name may be given.\n"
	  "On the appliance it is refused when neither SPF nor DKIM would vouch for its\n"
	  "mail (`hikyaku check identity`), unless that is overridden; the log has it then.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku campaign start spring" },
	{ "campaign", "pause", campaign_pause_run, 0, "stop handing out its recipients", "ID|NAME",
	  "Messages that are on their way are finished; no other one of this campaign is\n"
	  "begun until `hikyaku campaign resume`.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku campaign pause 7" },
	{ "campaign", "resume", campaign_resume_run, 0, "go on after a pause", "ID|NAME",
	  "Example:\n"
	  "  hikyaku campaign resume 7" },
	{ "campaign", "cancel", campaign_cancel_run, COMMAND_SCREEN,
	  "drop what is not sent yet", "ID|NAME",
	  "Recipients that are still queued are dropped and reported as cancelled. This\n"
	  "cannot be undone; what is sent stays sent.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku campaign cancel 7" },
	{ "campaign", "status", campaign_status_run, 0, "how far campaigns are", "[ID|NAME]",
	  "Without a name, all campaigns in a table; with one, everything about it.\n"
	  "sent + failed + cancelled + queued + held is always the total.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku campaign status\n"
	  "  hikyaku campaign status spring --json" },
	{ "campaign", "report", campaign_report_run, 0, "what became of every recipient", "ID|NAME",
	  "One line per recipient: the final ones from the delivery log, then those that\n"
	  "are still queued or held. --outcome picks some of: delivered, failed,\n"
	  "cancelled, queued, held (the default: all five, so every recipient once),\n"
	  "expired (those of the failed that were given up), and the events deferred,\n"
	  "in-doubt, bounced, complained, unsubscribed and auto-reply (as often as they\n"
	  "happened; the last four came back later).\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku campaign report spring --outcome failed,expired\n"
	  "  hikyaku campaign report spring --json > report.jsonl" },
	{ "queue", "list", queue_list_run, 0, "sites, or the recipients that wait", "",
	  "A site is a set of receiving hosts with common limits. Shows every site with\n"
	  "the depth of its queue; with --rows, the deferred recipients with the time of\n"
	  "the next attempt and the reason.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku queue list\n"
	  "  hikyaku queue list --rows --domain example.com\n"
	  "  hikyaku queue list --rows --campaign spring --limit 20" },
	{ "queue", "show", queue_show_run, 0, "one recipient: state and history", "ADDRESS",
	  "Example:\n"
	  "  hikyaku queue show ann@example.com" },
	{ "queue", "retry", queue_retry_run, COMMAND_SCREEN, "try deferred recipients now", "",
	  "Makes deferred recipients due at once. Say which: a campaign, a domain, an\n"
	  "address, or --all.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku queue retry --domain example.com\n"
	  "  hikyaku queue retry --all" },
	{ "queue", "bounce", queue_bounce_run, COMMAND_SCREEN, "give queued recipients up", "",
	  "Fails what is queued for a campaign, a domain or an address, as if its time\n"
	  "had run out. This cannot be undone.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku queue bounce --domain typo.example" },
	{ "queue", "suspend", queue_suspend_run, 0, "send nothing to a site", "[DOMAIN]",
	  "A site is the hosts that take a domain's mail, and those of all other domains\n"
	  "there wait, too. It outlives a restart, until `hikyaku queue resume`.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku queue suspend example.com\n"
	  "  hikyaku queue suspend --site gmail.com" },
	{ "queue", "resume", queue_resume_run, 0, "end a suspension", "[DOMAIN]",
	  "Examples:\n"
	  "  hikyaku queue resume example.com\n"
	  "  hikyaku queue resume --site gmail.com" },
	{ "queue", "doubt", queue_doubt_run, 0, "messages that may have arrived",
	  "list|resend|drop",
	  "A message is in doubt when it went out whole and no answer came, for instance\n"
	  "in a power cut. Campaigns made with --hold-in-doubt keep such recipients here\n"
	  "until you decide: `resend` (the receiver may get a second copy) or `drop`\n"
	  "(it may have got none). Say which: a campaign, an address, or --all.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku queue doubt list\n"
	  "  hikyaku queue doubt resend --campaign spring\n"
	  "  hikyaku queue doubt drop --address ann@example.com" },
	{ "queue", "unknown", queue_unknown_run, 0, "refusals in words that are not known", "",
	  "Each refusal gets a class (bad-mailbox, rate, reputation, ...) by its words.\n"
	  "Here are those whose words no pattern knows, counted since the sender was\n"
	  "started, with the class that their codes suggest, and one of each as it came.\n"
	  "Sections `reply` of the configuration teach the sender: hikyaku.conf(5).\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku queue unknown" },
	{ "log", "show", delivery_log_show_run, 0,
	  "what became of messages, attempt by attempt", "",
	  "The delivery log in the order of time: the newest 200 entries, or all since a\n"
	  "moment. Recipients, messages and times are found at once however long it is.\n"
	  "--follow shows what comes, for people or, with --json, for other systems.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku log show --recipient ann@example.com\n"
	  "  hikyaku log show --since today --class reputation,rate --site gmail.com\n"
	  "  hikyaku log show --message \"<0a1b...@example.jp>\"\n"
	  "  hikyaku log show --follow --json --outcome delivered,failed,bounced" },
	{ "log", "export", delivery_log_export_run, 0, "the delivery log as lines of JSON", "",
	  "The oldest entry first. An export that was broken off goes on behind the number\n"
	  "of its last whole line.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku log export --since 2026-11-01 --until 2026-12-01 >november.jsonl\n"
	  "  hikyaku log export --after 4711 >>november.jsonl" },
	{ "hook", "list", hook_list_run, 0, "webhooks and how far they are", "",
	  "Those that took entries of the delivery log; lost ones were trimmed before.\n"
	  "\nExample:\n  hikyaku hook list" },
	{ "hook", "test", hook_test_run, COMMAND_SCREEN, "post a test event, and see the answer",
	  "NAME",
	  "The event has the type \"test\". Its exit code is 1 when the receiver did not take\n"
	  "it, or `hikyaku hook` does not run.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku hook test crm" },
	{ "hook", "secret", hook_secret_run, 0, "what a hook's posts are signed with", "NAME",
	  "For the receiver, to check signatures with: hikyaku.conf(5) shows how. A file\n"
	  "that is not there is made by `hikyaku hook` when it starts.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku hook secret crm" },
	{ "hook", "resume", hook_resume_run, 0, "go on after a suspension, or rewind", "NAME",
	  "A hook is suspended when its receiver answers 410 or nothing works for days. It\n"
	  "goes on where it stood, or behind the entry that --after names.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku hook resume crm\n"
	  "  hikyaku hook resume crm --after 0" },
	{ "hook", "remove", hook_remove_run, 0, "forget a hook that is configured no more",
	  "NAME",
	  "The delivery log waits for it no longer.\n\nExample:\n  hikyaku hook remove crm" },
	{ "site", "list", site_list_run, 0, "rules for receivers, and their limits", "",
	  "A rule is a section \"site\" of the configuration, or one of those for large\n"
	  "receivers that come with the program. It counts for every receiver whose mail\n"
	  "exchanger has one of its patterns. \"from\" is where it stands: file, provider,\n"
	  "default; \"set\": somebody changed it by `hikyaku site set`.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku site list" },
	{ "site", "show", site_show_run, 0, "what counts for a receiver, and why",
	  "DOMAIN|SITE|RULE",
	  "Every limit with where it comes from: set (by `hikyaku site set`), file (its\n"
	  "section of the configuration), provider (comes with the program), default\n"
	  "(the configuration's \"default\") or built-in; and for each address that sends\n"
	  "there what it sent lately, and what its receiver's answers have taught.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku site show gmail.com\n"
	  "  hikyaku site show gmail --json" },
	{ "site", "set", site_set_run, 0, "limit a receiver at once",
	  "DOMAIN|SITE|RULE OPTION=VALUE ...",
	  "Options are those of a section \"site\": sessions, rate, per-minute, per-hour,\n"
	  "per-day, messages-per-session, depth, tls, adaptive, timeouts and so on. They\n"
	  "count at once, more than every file, and after a restart, too, until\n"
	  "`hikyaku site unset`. OPTION= alone takes one back. --dry-run shows what would\n"
	  "count, and changes nothing.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku site set gmail per-hour=2000 rate=5\n"
	  "  hikyaku site set example.com sessions=1 --dry-run\n"
	  "  hikyaku site set gmail rate=" },
	{ "site", "unset", site_unset_run, 0, "take back what was set", "DOMAIN|SITE|RULE",
	  "Example:\n"
	  "  hikyaku site unset gmail" },
	{ "site", "suspend", site_suspend_run, 0, "send nothing to a receiver", "DOMAIN|SITE",
	  "As `hikyaku queue suspend`: it outlives a restart.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku site suspend example.com" },
	{ "site", "resume", site_resume_run, 0, "end a suspension", "DOMAIN|SITE",
	  "Example:\n"
	  "  hikyaku site resume example.com" },
	{ "site", "forgive", site_forgive_run, 0, "forget what a receiver's answers taught",
	  "DOMAIN|SITE|RULE",
	  "Pauses end and it starts slowly anew: for when the receiver has been talked to.\n"
	  "What was sent in the last hour and day still counts.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku site forgive outlook.com" },
	{ "warmup", "show", warmup_show_run, 0, "how far new source addresses are", "[SOURCE]",
	  "An address that is new has a plan at each receiver: how much a day may have,\n"
	  "more on each day with mail, up to the receiver's target. \"sent of\" is this\n"
	  "day's; \"left\" is how long it takes when all goes well. \"held\": refusals or\n"
	  "complaints, so this day is repeated; \"stopped\": they were many, nothing more\n"
	  "goes today and tomorrow has a step less.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku warmup show\n"
	  "  hikyaku warmup show 192.0.2.11" },
	{ "warmup", "start", warmup_start_run, 0, "begin a warm-up, or end its pause", "SOURCE",
	  "What the address has sent this day counts. With --day it begins anew at that\n"
	  "day of the plan, for an address that is known a little.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku warmup start 192.0.2.11\n"
	  "  hikyaku warmup start 192.0.2.11 --day 5" },
	{ "warmup", "pause", warmup_pause_run, 0, "stay at this day of the plan", "SOURCE",
	  "Mail goes on by the same amount a day, until `hikyaku warmup start`.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku warmup pause 192.0.2.11" },
	{ "warmup", "skip", warmup_skip_run, 0, "go a day of the plan ahead", "SOURCE",
	  "At all receivers that it sent to, or at one. What held it back is forgotten.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku warmup skip 192.0.2.11 --receiver gmail" },
	{ "warmup", "stop", warmup_stop_run, 0, "end a warm-up: nothing holds it back", "SOURCE",
	  "Also when the configuration says warm-up, until `hikyaku warmup start`.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku warmup stop 192.0.2.11" },
	{ "letter", "send", letter_send_run, 0, "hand in one message that is no campaign",
	  "FILE ADDRESS ...",
	  "The file is a whole message as mail programs write it, sent as it is and signed;\n"
	  "- is standard input. It goes before campaigns at every receiver.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku letter send report.eml --customer example.jp ann@example.com\n"
	  "  make-invoice | hikyaku letter send - bob@example.com --customer example.jp \\\n"
	  "      --sender billing@example.jp --key invoice-4711" },
	{ "letter", "show", letter_show_run, 0, "what became of a letter", "ID|KEY",
	  "Known until a day after its last recipient; the delivery log knows more.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku letter show invoice-4711" },
	{ "suppression", "list", suppression_list_run, 0, "addresses that get no mail", "",
	  "Who has no mailbox is on it at once, who could not be reached several times in\n"
	  "a row after the configuration's `suppression { soft = 5 }`. Recipients of\n"
	  "campaigns whose address is on it are reported as cancelled, with the reason.\n"
	  "With --json each line has its history.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku suppression list" },
	{ "suppression", "show", suppression_show_run, 0, "one address, and its history", "ADDRESS",
	  "Its exit code is 1 when nothing is known of it.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku suppression show ann@example.com" },
	{ "suppression", "add", suppression_add_run, 0, "send nothing more to an address",
	  "ADDRESS ...",
	  "It counts at once, also for campaigns that run: what is not under way is not\n"
	  "sent any more.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku suppression add ann@example.com --reason complaint\n"
	  "  hikyaku suppression add eve@example.com --customer example.jp --list weekly\n"
	  "  hikyaku suppression add bob@example.com --text \"asked by phone\"" },
	{ "suppression", "remove", suppression_remove_run, 0, "let an address have mail again",
	  "ADDRESS ...",
	  "Its history stays.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku suppression remove ann@example.com --text \"typo of ours\"" },
	{ "suppression", "import", suppression_import_run, COMMAND_SCREEN,
	  "addresses of a CSV file get no mail", "FILE",
	  "The first line names the columns; `email` must be among them. Rows that are no\n"
	  "address are told with their line, the others go in. - is standard input.\n"
	  "Columns customer, list and reason say it for each row.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku suppression import old-provider.csv\n"
	  "  hikyaku suppression import complaints.csv --reason complaint" },
	{ "suppression", "export", suppression_export_run, 0, "the list as a CSV file", "",
	  "`suppression import` reads it.\n\nExample:\n"
	  "  hikyaku suppression export >suppressed.csv" },
	{ "contacts", "import", contacts_import_run, COMMAND_SCREEN, "bring a file of contacts",
	  "FILE", contacts_import_help },
	{ "contacts", "export", contacts_export_run, 0, "contacts as a CSV file", "",
	  "All of them, those of a list, or those of a condition as segments are written.\n"
	  "Columns are email, state, created, changed, attributes and list:NAME. Cells that\n"
	  "a spreadsheet would take for a formula begin with an apostrophe, which an import\n"
	  "takes away again. utf-16 is what Excel opens; characters that cp932 lacks become\n"
	  "\"?\", and it is said how many.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku contacts export >contacts.csv\n"
	  "  hikyaku contacts export --list news --segment 'opened within 90 days' \\\n"
	  "      --columns email,name --encoding cp932 >readers.csv" },
	{ "contacts", "list-imports", contacts_list_imports_run, 0, "files that were brought", "",
	  "The newest 100.\n\nExample:\n  hikyaku contacts list-imports" },
	{ "contacts", "status", contacts_status_run, 0, "how far an import is", "IMPORT",
	  "Example:\n  hikyaku contacts status 7" },
	{ "contacts", "report", contacts_report_run, 0, "what was found in an import's rows",
	  "IMPORT",
	  "A CSV file with line, reason and, for programs, a word for it.\n"
	  "\nExample:\n  hikyaku contacts report 7 >findings.csv" },
	{ "contacts", "run", contacts_run_run, COMMAND_SCREEN,
	  "carry an import out after a dry run", "IMPORT",
	  "Example:\n  hikyaku contacts run 7" },
	{ "contacts", "cancel", contacts_cancel_run, 0, "stop an import, or discard its file",
	  "IMPORT",
	  "What is done already stays, and can be undone.\n"
	  "\nExample:\n  hikyaku contacts cancel 7" },
	{ "contacts", "undo", contacts_undo_run, COMMAND_SCREEN, "take a whole import back",
	  "IMPORT",
	  "Contacts become as they were before, but for those that were changed since. It\n"
	  "can be done for 30 days.\n"
	  "\nExample:\n  hikyaku contacts undo 7" },
	{ "api-key", "add", api_key_add_run, 0, "let a program use the interface", "NAME",
	  "Makes a key for `hikyaku web` and shows it, once: of the key itself nothing is\n"
	  "kept. The program sends it as `Authorization: Bearer KEY`. Scopes: send (mail,\n"
	  "making campaigns, suppressing addresses), read (what became of them), contacts\n"
	  "(them, their lists, imports and exports), admin (everything, starting and\n"
	  "stopping campaigns among it). It counts at once.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku api-key add shop --customer example.jp --scope send,read\n"
	  "  hikyaku api-key add crm --scope admin" },
	{ "api-key", "list", api_key_list_run, 0, "programs that may use the interface", "",
	  "Example:\n"
	  "  hikyaku api-key list" },
	{ "api-key", "remove", api_key_remove_run, 0, "end a program's right to it", "NAME",
	  "It counts at once.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku api-key remove shop" },
	{ "web-user", "add", web_user_add_run, 0, "let a person in", "EMAIL", web_user_add_help },
	{ "tls-report", "show", tls_report_show_run, 0, "how TLS with receivers goes", "[DOMAIN]",
	  "For each day (UTC), domain and policy: sessions that were as the policy wants,\n"
	  "and those that were not, with what was wrong and where. Only domains that ask\n"
	  "for reports about it (RFC 8460) are counted. Example:\n"
	  "  hikyaku tls-report show example.com" },
	{ "tls-report", "send", tls_report_send_run, 0, "do not wait for the night to report", "",
	  "Reports of days that are over go now; today's are not ready. Example:\n"
	  "  hikyaku tls-report send" },
	{ "keys", "new", keys_new_run, 0, "make a DKIM key",
	  "--domain DOMAIN --selector NAME",
	  "Writes a private key (mode 0600, never over an existing file) and prints the\n"
	  "DNS record to publish. The file goes below the data folder of the\n"
	  "configuration unless --out names another.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku keys new --domain example.jp --selector s2026\n"
	  "  hikyaku keys new --domain example.jp --selector e2026 --type ed25519 \\\n"
	  "      --out /data/keys/example.jp.e2026.pem" },
	{ "keys", "show", keys_show_run, 0, "DNS records of the keys in use", "[DOMAIN]",
	  "Shows the records of the keys that the configuration names, or of one file.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku keys show\n"
	  "  hikyaku keys show --file key.pem --domain example.jp --selector s2026" },
	{ "user", "add", user_add_run, 0, "somebody who may hand in mail", "NAME",
	  "A user signs in on the submission ports (hikyaku.conf(5), section submission)\n"
	  "and sends as the addresses of --from: by default the name itself where that is\n"
	  "an address of the customer's, else every address of the domain. A password is\n"
	  "made and shown once; --ask reads one instead. It counts from the next sign-in.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku user add ann@example.jp\n"
	  "  hikyaku user add shop --customer example.jp --from shop@example.jp" },
	{ "user", "list", user_list_run, 0, "who may hand in mail", "",
	  "Example:\n"
	  "  hikyaku user list" },
	{ "user", "passwd", user_passwd_run, 0, "another password", "NAME",
	  "The old one does not count any more. Who is signed in stays so until the\n"
	  "connection ends.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku user passwd shop" },
	{ "user", "remove", user_remove_run, 0, "somebody may no longer", "NAME",
	  "Who is signed in stays so until the connection ends.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku user remove shop" },
	{ "config", "show", config_show_run, 0, "the sender's configuration", "",
	  "Example:\n"
	  "  hikyaku config show" },
	{ "config", "replace", config_replace_run, 0, "put another one in its place", "FILE",
	  "Takes a whole configuration from a file, or - for standard input. One with a\n"
	  "mistake is refused with line and reason, and nothing changes.\n"
	  "\n"
	  "Examples, the first two from the administrator's own machine:\n"
	  "  ssh admin@mail.example.jp config show >hikyaku.conf\n"
	  "  ssh admin@mail.example.jp config replace - <hikyaku.conf\n"
	  "  hikyaku config replace new.conf" },
	{ "file", "put", file_put_run, COMMAND_SCREEN, "take a file in by ssh", "NAME",
	  "Templates, lists of recipients, backups: what the appliance is to read comes\n"
	  "by standard input and is in /data/backup then.\n"
	  "\n"
	  "Examples, from the administrator's own machine:\n"
	  "  ssh admin@mail.example.jp file put news.eml <news.eml\n"
	  "  ssh admin@mail.example.jp campaign create --name spring \\\n"
	  "      --customer example.jp --template /data/backup/news.eml \\\n"
	  "      --recipients - --start <list.csv" },
	{ "file", "get", file_get_run, COMMAND_SCREEN, "give a file out by ssh", "NAME",
	  "Example, from the administrator's own machine:\n"
	  "  ssh admin@mail.example.jp file get mail-2026-11-30.backup >mail.backup" },
	{ "file", "list", file_list_run, 0, "files that were taken in, and backups", "",
	  "Example:\n"
	  "  hikyaku file list" },
	{ "file", "remove", file_remove_run, 0, "remove a file", "NAME",
	  "Example:\n"
	  "  hikyaku file remove list.csv" },
	{ NULL, "records", records_run, 0, "DNS records to publish", "[DOMAIN]",
	  "Addresses, PTR, SPF, DMARC, MX and DKIM, as lines of a zone file; long values\n"
	  "also as one piece for a provider's form.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku records example.jp" },
	{ NULL, "check", check_run, 0, "read the configuration and the keys, name errors", "",
	  "Reads what `hikyaku send` would read and reports what is wrong with file and\n"
	  "line. Needs no daemon and changes nothing.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku check --config /etc/hikyaku/hikyaku.conf" },
	{ "check", "identity", check_identity_run, 0, "what DNS says of us", "[DOMAIN]",
	  "PTR and whether it is confirmed, the name in EHLO, SPF, the DKIM keys against\n"
	  "those that sign, DMARC and whether mail passes it, MX, block lists: one line\n"
	  "each, and for what fails the record to publish. Without a domain: the first\n"
	  "customer's.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku check identity example.jp" },
	{ NULL, "status", status_run, COMMAND_SCREEN, "what the sender is doing", "",
	  "Example:\n"
	  "  hikyaku status --watch" },
	{ NULL, "top", top_run, COMMAND_SCREEN, "the sender live, site by site", "",
	  "One screen, redrawn every two seconds. Keys: q ends it, p pauses; u, r, s, d, n\n"
	  "order the sites by queued, rate, sessions, deferred, name.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku top" },
	{ NULL, "dig", dig_run, 0, "ask DNS, with validation",
	  "NAME [TYPE]",
	  "Types: A (unless one is said), AAAA, CAA, CNAME, DNSKEY, DS, MX, NS, PTR, SOA,\n"
	  "SRV, TLSA, TXT. Asks by the sender's own resolver. `secure`: DNSSEC has\n"
	  "validated the answer; `insecure`: the zone is not signed; `bogus`: it is, and\n"
	  "the answer is forged or broken. An address is asked for its name.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku dig example.jp MX\n"
	  "  hikyaku dig 192.0.2.10" },
	{ NULL, "mx", mx_run, 0, "where mail for a domain goes", "NAME",
	  "Hosts in the order in which they are tried, with those addresses that mail may\n"
	  "go to.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku mx example.jp" },
	{ NULL, "connect", connect_run, 0, "talk SMTP with a host, up to QUIT", "NAME",
	  "Looks the domain's hosts up, connects to the first one that answers and shows\n"
	  "the dialogue line by line with seconds: greeting, EHLO, STARTTLS with the\n"
	  "certificate, QUIT. It sends no mail. -> is what we say, <- what the host says.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku connect example.jp\n"
	  "  hikyaku connect 192.0.2.25 --port 587 --from 192.0.2.10" },
	{ NULL, "ping", ping_run, 0, "whether a host answers, and how fast", "NAME",
	  "Example:\n"
	  "  hikyaku ping 192.0.2.1 --count 10" },
	{ NULL, "stop", stop_run, 0, "end the sender cleanly", "",
	  "Intake stops, sessions end behind the message they are sending, then the\n"
	  "daemon ends. Nothing is lost: what is queued goes on at the next start.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku stop --wait" },
};

size_t command_count(void)
{
	return array_count(rows) + command_machine_count;
}

const struct command *command_at(size_t index)
{
	ASSERT(index < command_count());
	return index < array_count(rows) ? &rows[index]
					 : &command_machine_rows[index - array_count(rows)];
}
