#include "console/editor.h"

#include "base/text.h"
#include "console/complete.h"
#include "console/history.h"
#include "console/human.h"
#include "console/names.h"
#include "console/terminal.h"
#include "console/words.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LISTED_MAX 40 /* candidates shown at once */

struct editor {
	EditLine *el; /* NULL: no terminal */
	History *history;
	History *empty_history; /* while a question is answered */
	FILE *nowhere; /* for what libedit says about terminals that it does not know */
	sigset_t normal_mask;
	bool is_answer; /* the line answers a question... */
	enum name_kind answer_kind;
	char prompt[96];
	char line[WORDS_LINE_MAX + 2];
	struct words words;
	struct completions completions;
};

static volatile sig_atomic_t was_interrupted;
static volatile sig_atomic_t was_resized;

static void on_signal(int number)
{
	if (number == SIGINT)
		was_interrupted = 1;
	else
		was_resized = 1;
}

static struct editor *editor_of(EditLine *el)
{
	void *data = NULL;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt_of(EditLine *el)
{
	return editor_of(el)->prompt;
}

/* ---- characters ---- */

/* Waits with SIGINT and SIGWINCH let through only here, so that none is missed. */
static bool wait_for_input(EditLine *el)
{
	struct editor *editor = editor_of(el);
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		if (was_interrupted)
			return false;
		if (was_resized) {
			was_resized = 0;
			el_resize(el);
		}
		if (ppoll(&ready, 1, NULL, &editor->normal_mask) > 0)
			return true;
		if (errno != EINTR)
			return false;
	}
}

/* libedit's way of reading: 1 with a character, 0 at the end, -1: the line is dropped. */
static int read_character(EditLine *el, wchar_t *to)
{
	mbstate_t state = { 0 };

	for (;;) {
		wchar_t wide;
		char byte;
		size_t used;

		if (!wait_for_input(el))
			return -1;
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 0;
		used = mbrtowc(&wide, &byte, 1, &state);
		if (used == (size_t)-1) {
			/* Not UTF-8: noise of a serial line. */
			state = (mbstate_t){ 0 };
			continue;
		}
		if (used == (size_t)-2)
			continue;
		*to = wide;
		return 1;
	}
}

/* ---- completion ---- */

static void complete_here(struct editor *editor, bool is_help)
{
	const LineInfo *info = el_line(editor->el);
	struct slice line = { info->buffer, (size_t)(info->cursor - info->buffer) };

	if (editor->is_answer)
		complete_answer(line, editor->answer_kind, names_offer, &editor->completions);
	else
		complete_line(line, is_help, &editor->words, names_offer, &editor->completions);
}

/* A list with help, a line each; without help, words side by side. */
static void list(const struct completions *c)
{
	u32 columns = terminal_size(STDOUT_FILENO).columns;
	size_t shown = min_size(c->count, LISTED_MAX);
	size_t width = 1;
	bool has_help = false;

	for (size_t i = 0; i < shown; i++) {
		width = max_u64(width, strlen(c->items[i].word));
		has_help |= c->items[i].help != NULL;
	}
	fputc('\n', stdout);
	if (c->hint && c->count == 0)
		printf("  %s\n", c->hint);
	for (size_t i = 0; i < shown; i++) {
		size_t room = columns > width + 5 ? columns - (u32)width - 5 : 0;
		size_t per_line = has_help ? 1 : (columns - 2) / (width + 2);
		bool ends = per_line < 2 || i % per_line == per_line - 1 || i + 1 == shown;

		printf("%s%s", per_line > 1 && i % per_line > 0 ? "" : "  ", c->items[i].word);
		if (!ends || c->items[i].help)
			printf("%*s", (int)(width - strlen(c->items[i].word) + 2), "");
		if (c->items[i].help)
			printf("%.*s", (int)room, c->items[i].help);
		if (ends)
			fputc('\n', stdout);
	}
	if (c->count > shown)
		printf("  ... and %zu more\n", c->count - shown);
	fflush(stdout);
}

/* Puts the word so far, completed, in the place of what was typed. */
static void put(struct editor *editor, struct slice word, bool is_whole)
{
	const struct completions *c = &editor->completions;
	const LineInfo *info = el_line(editor->el);
	struct buf text;
	const char *last = word.len > 0 ? &word.ptr[word.len - 1] : "";

	buf_init(&text, WORDS_LINE_MAX);
	if (editor->is_answer)
		buf_add_slice(&text, word);
	else
		words_quote(&text, word);
	/* A quote that was put around stays open while more may come. */
	if (!is_whole && buf_slice(&text).len > word.len && text.ptr[text.len - 1] == '"')
		text.len--;
	if (is_whole && !editor->is_answer && *last != '/' && *last != '=')
		buf_add_char(&text, ' ');
	el_deletestr(editor->el, (int)(info->cursor - info->buffer) - (int)c->start);
	(void)el_insertstr(editor->el, buf_text(&text));
	buf_done(&text);
}

static unsigned char on_tab(EditLine *el, int key)
{
	struct editor *editor = editor_of(el);
	struct completions *c = &editor->completions;
	unsigned char result = CC_REFRESH;

	(void)key;
	complete_here(editor, false);
	if (c->count == 1) {
		put(editor, slice_of(c->items[0].word), true);
	} else if (completions_common(c) > c->typed.len) {
		put(editor, (struct slice){ c->items[0].word, completions_common(c) }, false);
	} else if (c->count > 1 || c->hint) {
		list(c);
		result = CC_REDISPLAY;
	} else {
		result = CC_REFRESH_BEEP;
	}
	completions_done(c);
	return result;
}

/* At the beginning of a word `?` asks what may stand there; elsewhere it is a letter. */
static unsigned char on_question_mark(EditLine *el, int key)
{
	struct editor *editor = editor_of(el);

	(void)key;
	if (editor->is_answer)
		return el_insertstr(el, "?") == 0 ? CC_REFRESH : CC_ERROR;
	complete_here(editor, true);
	if (editor->completions.typed.len > 0 || editor->completions.quote) {
		completions_done(&editor->completions);
		return el_insertstr(el, "?") == 0 ? CC_REFRESH : CC_ERROR;
	}
	list(&editor->completions);
	completions_done(&editor->completions);
	return CC_REDISPLAY;
}

/* ---- the editor ---- */

/* Names of terminals come from far away over ssh; one that nobody knows is taken for a VT100. */
static void choose_terminal(EditLine *el)
{
	static const char *const last_resorts[] = { "vt100", "dumb" };
	char *sequence = NULL;

	for (size_t i = 0; i <= array_count(last_resorts); i++) {
		if (el_get(el, EL_GETTC, "ce", &sequence, NULL) == 0 && sequence && *sequence)
			return;
		if (i < array_count(last_resorts))
			(void)el_set(el, EL_TERMINAL, last_resorts[i]);
	}
}

static void bind_keys(EditLine *el)
{
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_ADDFN, "complete", "complete the word", on_tab);
	el_set(el, EL_ADDFN, "help", "what may stand here", on_question_mark);
	el_set(el, EL_BIND, "^I", "complete", NULL);
	el_set(el, EL_BIND, "?", "help", NULL);
	el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	/* What sends keys of the keypad as applications like them. */
	el_set(el, EL_BIND, "\033OH", "ed-move-to-beg", NULL);
	el_set(el, EL_BIND, "\033OF", "ed-move-to-end", NULL);
	el_set(el, EL_BIND, "\033[H", "ed-move-to-beg", NULL);
	el_set(el, EL_BIND, "\033[F", "ed-move-to-end", NULL);
	el_set(el, EL_BIND, "\033[1~", "ed-move-to-beg", NULL);
	el_set(el, EL_BIND, "\033[4~", "ed-move-to-end", NULL);
	el_set(el, EL_BIND, "\033[3~", "ed-delete-next-char", NULL);
}

static bool open_line_editor(struct editor *editor)
{
	HistEvent event;

	editor->nowhere = fopen("/dev/null", "w");
	editor->history = history_init();
	editor->empty_history = history_init();
	if (!editor->nowhere || !editor->history || !editor->empty_history)
		return false;
	editor->el = el_init("hikyaku", stdin, stdout, editor->nowhere);
	if (!editor->el)
		return false;
	history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	history(editor->history, &event, H_SETUNIQUE, 1);
	el_set(editor->el, EL_CLIENTDATA, editor);
	el_set(editor->el, EL_SIGNAL, 0);
	el_set(editor->el, EL_PROMPT, prompt_of);
	el_set(editor->el, EL_HIST, history, editor->history);
	choose_terminal(editor->el);
	bind_keys(editor->el);
	el_set(editor->el, EL_GETCFN, read_character);
	return true;
}

struct editor *editor_open(void)
{
	struct editor *editor = calloc(1, sizeof(*editor));
	struct sigaction action = { .sa_handler = on_signal };

	if (!editor)
		return NULL;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	/* Letters of other scripts count as one; where the locale is not known, bytes do. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	if (isatty(STDIN_FILENO) && !open_line_editor(editor)) {
		editor_close(editor);
		return NULL;
	}
	return editor;
}

void editor_close(struct editor *editor)
{
	if (!editor)
		return;
	if (editor->el)
		el_end(editor->el);
	if (editor->history)
		history_end(editor->history);
	if (editor->empty_history)
		history_end(editor->empty_history);
	if (editor->nowhere)
		fclose(editor->nowhere);
	free(editor);
}

enum editor_result editor_read(struct editor *editor, const char *prompt, const char **line)
{
	sigset_t held;
	const char *got;
	int len = 0;

	*line = editor->line;
	slice_copy(editor->prompt, sizeof(editor->prompt), slice_of(prompt));
	if (!editor->el)
		return terminal_ask("", editor->line, sizeof(editor->line)) ? EDITOR_LINE
									      : EDITOR_END;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGWINCH);
	sigprocmask(SIG_BLOCK, &held, &editor->normal_mask);
	was_interrupted = 0;
	/* Before the prompt: who sees it may type at once, and is not to be echoed twice. */
	el_set(editor->el, EL_PREP_TERM, 1);
	got = el_gets(editor->el, &len);
	sigprocmask(SIG_SETMASK, &editor->normal_mask, NULL);
	if (was_interrupted) {
		el_reset(editor->el);
		return EDITOR_INTERRUPTED;
	}
	if (!got || len <= 0)
		return EDITOR_END;
	if (!slice_copy(editor->line, sizeof(editor->line), slice_of(got)))
		editor->line[0] = '\0';
	editor->line[strcspn(editor->line, "\r\n")] = '\0';
	return EDITOR_LINE;
}

enum editor_result editor_ask(struct editor *editor, const char *prompt, enum name_kind kind,
			      const char **line)
{
	enum editor_result result;

	editor->is_answer = true;
	editor->answer_kind = kind;
	if (editor->history)
		el_set(editor->el, EL_HIST, history, editor->empty_history);
	if (!editor->el) {
		fputs(prompt, stdout);
		fflush(stdout);
	}
	result = editor_read(editor, prompt, line);
	editor->is_answer = false;
	if (editor->history)
		el_set(editor->el, EL_HIST, history, editor->history);
	return result;
}

void editor_remember(struct editor *editor, const char *line)
{
	HistEvent event;

	if (editor->history)
		history(editor->history, &event, H_ENTER, line);
}

void editor_print_history(struct editor *editor)
{
	HistEvent event;

	if (!editor->history)
		return;
	for (int code = history(editor->history, &event, H_LAST); code == 0;
	     code = history(editor->history, &event, H_PREV))
		printf("%s\n", event.str);
}
