/*
 * What the interface offers: one table of methods and paths, with who may and what is done.
 */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include "web/call.h"

enum web_route_flag {
	ROUTE_TAKES_JSON = 1, /* the call has a body, an object, in call->json */
	ROUTE_TAKES_BYTES = 2, /* it may have a small body of any type, in call->body */
	/*
	 * For readers of mail: the token in the path is all that it takes, also without TLS. Calls
	 * are many, so they are logged for debugging alone.
	 */
	ROUTE_PUBLIC = 4,
	/*
	 * A form in call->form: urlencoded, or multipart without its files; an empty body is an
	 * empty form.
	 */
	ROUTE_TAKES_FORM = 8,
	/* A form with a file (multipart): call->form, and call->upload unless none was chosen. */
	ROUTE_TAKES_UPLOAD = 16,
	/* The body as it is, of any type, in call->upload. */
	ROUTE_TAKES_FILE = 32,
	/* A session, in call->session, of a user who may at least see; POST: from our own pages. */
	ROUTE_VIEWER = 64,
	ROUTE_EDITOR = 128,   /* the same of a user who may change contacts, campaigns, templates */
	ROUTE_OWNER = 256,    /* who may change users and settings */
	ROUTE_EXPORTER = 512, /* who may hand out personal data: session_may_export */
	/*
	 * With TAKES_UPLOAD, or TAKES_FILE (whose body may be a form all the same): all files are
	 * images, in call->images.
	 */
	ROUTE_IMAGES = 2048,
	ROUTE_OWN_SITE = 1024, /* no session is needed, but a POST comes from our own pages */
	ROUTE_MAY_LACK_BODY = 2048, /* with TAKES_JSON: none at all is an empty object */
};

struct web_route {
	const char *method;
	const char *path; /* "{}", twice at most, is one segment, given to the call decoded */
	u32 scopes;       /* enum api_scope: one of them is enough; 0: no key is needed */
	u32 flags;
	void (*run)(struct call *call);
};

enum web_route_result {
	ROUTE_FOUND,
	ROUTE_UNKNOWN,      /* 404 */
	ROUTE_OTHER_METHOD, /* 405: `allowed` lists them */
};

/*
 * Finds the route of a request target ("/api/v1/messages/x?limit=1"): fills in route, argument and
 * query of the call. `allowed` has 64 bytes.
 */
enum web_route_result web_route_find(struct call *call, struct slice method, struct slice target,
				     char *allowed) MUST_CHECK;

/*
 * A number of the call's query ("?after=5&limit=100"); `out` is left alone when it is not there.
 * False: it is no number, the call is answered.
 */
bool web_query_number(struct call *call, struct slice name, u64 *out) MUST_CHECK;

/*
 * Whether GET of that path of ours is there for whoever is signed in: what he may not have, he is
 * not shown the way to.
 */
bool web_route_is_open(const struct call *call, const char *path) MUST_CHECK;
/* Whether the session may take the route. */
bool web_route_admits(const struct web_route *route, const struct call *call) MUST_CHECK;
#define ROUTE_SIGNED_IN (ROUTE_VIEWER | ROUTE_EDITOR | ROUTE_OWNER | ROUTE_EXPORTER)

/* ---- the functions: public_*.c ---- */
void public_open(struct call *call);
void public_view(struct call *call);
void public_archive(struct call *call);
void public_archived(struct call *call);
void public_feed(struct call *call);
void public_click(struct call *call);
void public_image(struct call *call);
void public_unsubscribe_page(struct call *call);
void public_unsubscribe(struct call *call);
void public_preferences_page(struct call *call);
void public_preferences(struct call *call);
void public_data_ask(struct call *call);
void public_data_page(struct call *call);
void public_data_file(struct call *call);
void public_data_erase(struct call *call);
void public_data_readdress(struct call *call);
void public_address_page(struct call *call);
void public_address(struct call *call);
void public_form(struct call *call);
void public_form_style(struct call *call);
void public_form_send(struct call *call);
void public_confirm_page(struct call *call);
void public_confirm(struct call *call);

/* ---- the functions: page_*.c ---- */
void page_forms(struct call *call);
void page_form_new(struct call *call);
void page_form_edit(struct call *call);
void page_form_create(struct call *call);
void page_form_save(struct call *call);
void page_form_delete(struct call *call);
void page_preferences_save(struct call *call);
void page_asset(struct call *call);
void page_imports(struct call *call);
void page_import_bring(struct call *call);
void page_import_show(struct call *call);
void page_import_plan(struct call *call);
void page_import_run(struct call *call);
void page_import_cancel(struct call *call);
void page_import_undo(struct call *call);
void page_contacts(struct call *call);
void page_contact_new(struct call *call);
void page_contact_add(struct call *call);
void page_contact_show(struct call *call);
void page_contact_save(struct call *call);
void page_contact_erase(struct call *call);
void page_export(struct call *call);
void page_lists(struct call *call);
void page_list_add(struct call *call);
void page_list_show(struct call *call);
void page_list_save(struct call *call);
void page_list_delete(struct call *call);
void page_attributes(struct call *call);
void page_attribute_add(struct call *call);
void page_attribute_show(struct call *call);
void page_attribute_save(struct call *call);
void page_attribute_delete(struct call *call);
void page_dashboard(struct call *call);
void page_deliverability(struct call *call);
void page_suppressions(struct call *call);
void page_suppression(struct call *call);
void page_suppression_change(struct call *call);
void page_dns(struct call *call);
void page_dns_check(struct call *call);
void page_account(struct call *call);
void page_account_save(struct call *call);
void page_password_change(struct call *call);
void page_sessions_end(struct call *call);
void page_codes(struct call *call);
void page_codes_on(struct call *call);
void page_codes_off(struct call *call);
void page_campaigns(struct call *call);
void page_campaigns_add(struct call *call);
void page_campaigns_release(struct call *call);
void page_campaign_new(struct call *call);
void page_campaign(struct call *call);
void page_campaign_save(struct call *call);
void page_campaign_edit(struct call *call);
void page_campaign_preview(struct call *call);
void page_campaign_frame(struct call *call);
void page_campaign_csv(struct call *call);
void page_campaign_segments(struct call *call);
void page_campaign_order(struct call *call);
void page_campaign_test(struct call *call);
void page_users(struct call *call);
void page_users_invite(struct call *call);
void page_user(struct call *call);
void page_user_change(struct call *call);
void page_audit(struct call *call);
void page_settings(struct call *call);
void page_settings_save(struct call *call);
void page_images(struct call *call);
void page_images_bring(struct call *call);
void page_image(struct call *call);
void page_image_save(struct call *call);
void page_image_delete(struct call *call);
void page_login(struct call *call);
void page_login_try(struct call *call);
void page_code(struct call *call);
void page_code_try(struct call *call);
void page_logout(struct call *call);
void page_look(struct call *call);
void page_welcome(struct call *call);
void page_welcome_take(struct call *call);

/* ---- the functions: api_*.c ---- */
void api_forms_list(struct call *call);
void api_forms_create(struct call *call);
void api_form_show(struct call *call);
void api_form_change(struct call *call);
void api_form_delete(struct call *call);
void api_document(struct call *call);
void api_images_list(struct call *call);
void api_images_add(struct call *call);
void api_image_show(struct call *call);
void api_image_change(struct call *call);
void api_image_delete(struct call *call);
void api_messages_send(struct call *call);
void api_message_show(struct call *call);
void api_message_recipients(struct call *call);
void api_suppressions_list(struct call *call);
void api_suppressions_add(struct call *call);
void api_suppression_show(struct call *call);
void api_suppression_remove(struct call *call);
void api_campaigns_list(struct call *call);
void api_campaigns_create(struct call *call);
void api_campaign_show(struct call *call);
void api_campaign_start(struct call *call);
void api_campaign_pause(struct call *call);
void api_campaign_resume(struct call *call);
void api_campaign_cancel(struct call *call);
void api_mailings_list(struct call *call);
void api_mailings_create(struct call *call);
void api_mailing_show(struct call *call);
void api_mailing_change(struct call *call);
void api_mailing_delete(struct call *call);
void api_mailing_schedule(struct call *call);
void api_mailing_unschedule(struct call *call);
void api_mailing_pause(struct call *call);
void api_mailing_resume(struct call *call);
void api_mailing_cancel(struct call *call);
void api_mailing_resend(struct call *call);
void api_identity_show(struct call *call);
void api_identity_check(struct call *call);
void page_sequences(struct call *call);
void page_sequences_add(struct call *call);
void page_sequence_new(struct call *call);
void page_sequence(struct call *call);
void page_sequence_save(struct call *call);
void page_sequence_edit(struct call *call);
void page_sequence_order(struct call *call);
void page_steps_add(struct call *call);
void page_step_new(struct call *call);
void page_step_edit(struct call *call);
void page_step_save(struct call *call);
void page_step_order(struct call *call);
void page_enrolments(struct call *call);
void page_enrolment_add(struct call *call);
void page_enrolment_end(struct call *call);
void api_sequences_list(struct call *call);
void api_sequences_create(struct call *call);
void api_sequence_show(struct call *call);
void api_sequence_change(struct call *call);
void api_sequence_delete(struct call *call);
void api_sequence_start(struct call *call);
void api_sequence_pause(struct call *call);
void api_sequence_archive(struct call *call);
void api_steps_add(struct call *call);
void api_step_change(struct call *call);
void api_step_delete(struct call *call);
void api_step_move(struct call *call);
void api_enrolments_list(struct call *call);
void api_enrolments_add(struct call *call);
void api_enrolment_show(struct call *call);
void api_enrolment_end(struct call *call);
void api_events_add(struct call *call);
void api_hold_show(struct call *call);
void api_hold_release(struct call *call);
void api_mailing_report(struct call *call);
void api_mailing_report_csv(struct call *call);
void api_mailing_test(struct call *call);
void api_imports_list(struct call *call);
void api_imports_add(struct call *call);
void api_import_show(struct call *call);
void api_import_preview(struct call *call);
void api_import_plan(struct call *call);
void api_import_try(struct call *call);
void api_import_run(struct call *call);
void api_import_cancel(struct call *call);
void api_import_undo(struct call *call);
void api_import_report(struct call *call);
void api_templates_list(struct call *call);
void api_templates_add(struct call *call);
void api_template_show(struct call *call);
void api_template_change(struct call *call);
void api_template_delete(struct call *call);
void api_template_versions(struct call *call);
void api_template_version(struct call *call);
void api_template_restore(struct call *call);
void api_template_preview(struct call *call);
void api_template_test(struct call *call);
void page_templates(struct call *call);
void page_templates_add(struct call *call);
void page_template_new(struct call *call);
void page_template_look(struct call *call);
void page_template_base(struct call *call);
void page_template(struct call *call);
void page_template_edit(struct call *call);
void page_template_save(struct call *call);
void page_template_frame(struct call *call);
void page_template_test(struct call *call);
void page_template_delete(struct call *call);
void page_template_versions(struct call *call);
void page_template_version(struct call *call);
void page_template_restore(struct call *call);
void page_segments(struct call *call);
void page_segment_new(struct call *call);
void page_segment(struct call *call);
void page_segment_edit(struct call *call);
void page_segment_form(struct call *call);
void page_segment_delete(struct call *call);
void api_segments_list(struct call *call);
void api_segments_add(struct call *call);
void api_segments_count(struct call *call);
void api_segment_show(struct call *call);
void api_segment_change(struct call *call);
void api_segment_delete(struct call *call);
void api_segment_count(struct call *call);
void api_segment_members(struct call *call);
void api_segment_explain(struct call *call);
void api_segment_export(struct call *call);
void api_contacts_list(struct call *call);
void api_contacts_add(struct call *call);
void api_contacts_export(struct call *call);
void api_contact_show(struct call *call);
void api_contact_change(struct call *call);
void api_contact_erase(struct call *call);
void api_contact_history(struct call *call);
void api_contact_export(struct call *call);
void api_lists_list(struct call *call);
void api_lists_add(struct call *call);
void api_list_show(struct call *call);
void api_list_change(struct call *call);
void api_list_delete(struct call *call);
void api_attributes_list(struct call *call);
void api_attributes_add(struct call *call);
void api_attribute_show(struct call *call);
void api_attribute_change(struct call *call);
void api_attribute_delete(struct call *call);
void api_users_list(struct call *call);
void api_users_invite(struct call *call);
void api_user_show(struct call *call);
void api_user_change(struct call *call);
void api_user_delete(struct call *call);
void api_user_block(struct call *call);
void api_user_unblock(struct call *call);
void api_user_link(struct call *call);
void api_user_end_sessions(struct call *call);
void api_settings_show(struct call *call);
void api_settings_change(struct call *call);
void api_audit_list(struct call *call);
void api_arrivals_list(struct call *call);
void api_arrivals_csv(struct call *call);

#endif
