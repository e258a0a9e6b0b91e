/* What the files of the template language's parser share; private to src/message/. */
#ifndef MESSAGE_TEMPLATE_PARTS_H
#define MESSAGE_TEMPLATE_PARTS_H

#include "message/html.h"
#include "message/template.h"

#define TEMPLATE_NONE 0xffffffffu

/* A condition or a loop whose end has not come yet. */
struct template_open {
	bool is_loop;
	bool has_else;
	bool has_end; /* `end` is known */
	u32 line; /* and block: where it began */
	const char *block;
	u32 each;  /* the loop's TURN_EACH */
	u32 waits; /* the turn whose target is the next clause, or TEMPLATE_NONE */
	u32 skips; /* the turns whose target is the end, chained by their targets */
	struct slice alias; /* of the loop's item */
	struct html before; /* where in the HTML it began, and where its clauses end */
	struct html end;
};

/* One parse in progress. */
struct template_parser {
	struct template_set *set;
	const struct template_source *source;
	enum template_place place;
	struct html html;
	struct buf *marked;
	struct error *error;
	size_t at;
	size_t counted; /* bytes whose line ends are in `newlines` */
	u32 newlines;
	u32 origin; /* those in front of it lie in front of `counted` */
	struct template_open open[TEMPLATE_DEPTH_MAX];
	u32 depth;
	struct slice loops[TEMPLATE_LOOPS_MAX]; /* names of items, from the outside */
	u32 loop_count;
};

bool template_refuse(const struct template_parser *p, const char *what, struct slice shown);
char template_peek(const struct template_parser *p, size_t ahead);
void template_skip_blanks(struct template_parser *p);
/* A name: up to white space, the signs of the language, or the line's end; empty: there is none. */
struct slice template_take_name(struct template_parser *p);
/* A text in straight double quotes. */
bool template_take_text(struct template_parser *p, struct slice *text);
/*
 * A field with its filters, `field->place` given; what follows is left to the caller. The name was
 * taken by template_take_name.
 */
bool template_take_operand(struct template_parser *p, struct slice name,
			   struct template_field *field);
/* Fills in the line and, in a block, the block's name. */
void template_set_line(struct template_parser *p, struct template_field *field);
/* Appends the field to the table and its mark to the text. */
bool template_add(struct template_parser *p, const struct template_field *field, u32 *number);
struct template_field *template_at(const struct template_parser *p, u32 number);

/* template_condition.c: behind `#if` and `#elif`, up to the braces. */
bool template_take_condition(struct template_parser *p, struct template_field *field);
/* template_turn.c: behind `{{`, in front of `#` or `/`. */
bool template_take_turn(struct template_parser *p);
/* At the end of the text: nothing is open. */
bool template_all_closed(struct template_parser *p);

#endif
