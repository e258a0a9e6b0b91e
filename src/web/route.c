#include "web/route.h"

#include "base/text.h"

#include <string.h>

#define SEND API_SCOPE_SEND
#define READ API_SCOPE_READ
#define ADMIN API_SCOPE_ADMIN
#define CONTACTS API_SCOPE_CONTACTS
#define JSON ROUTE_TAKES_JSON
#define MAY_JSON (ROUTE_TAKES_JSON | ROUTE_MAY_LACK_BODY)
#define FILE_BODY ROUTE_TAKES_FILE

#define FORM ROUTE_TAKES_FORM
#define OWN_SITE ROUTE_OWN_SITE
#define VIEWER ROUTE_VIEWER
#define EDITOR ROUTE_EDITOR
#define EXPORTER ROUTE_EXPORTER
#define OWNER ROUTE_OWNER

static const struct web_route routes[] = {
	{ "GET", "/t/o/{}", 0, ROUTE_PUBLIC, public_open },
	{ "HEAD", "/t/o/{}", 0, ROUTE_PUBLIC, public_open },
	{ "GET", "/t/c/{}/{}", 0, ROUTE_PUBLIC, public_click },
	{ "HEAD", "/t/c/{}/{}", 0, ROUTE_PUBLIC, public_click },
	{ "GET", "/i/{}/{}", 0, ROUTE_PUBLIC, public_image },
	{ "HEAD", "/i/{}/{}", 0, ROUTE_PUBLIC, public_image },
	{ "GET", "/u/{}", 0, ROUTE_PUBLIC, public_unsubscribe_page },
	{ "HEAD", "/u/{}", 0, ROUTE_PUBLIC, public_unsubscribe_page },
	{ "POST", "/u/{}", 0, ROUTE_PUBLIC | ROUTE_TAKES_BYTES, public_unsubscribe },
	{ "GET", "/v/{}", 0, ROUTE_PUBLIC, public_view },
	{ "HEAD", "/v/{}", 0, ROUTE_PUBLIC, public_view },
	{ "GET", "/a", 0, ROUTE_PUBLIC, public_archive },
	{ "GET", "/a/", 0, ROUTE_PUBLIC, public_archive },
	{ "GET", "/a/rss", 0, ROUTE_PUBLIC, public_feed },
	{ "GET", "/a/{}", 0, ROUTE_PUBLIC, public_archived },
	{ "GET", "/p/{}", 0, ROUTE_PUBLIC, public_preferences_page },
	{ "HEAD", "/p/{}", 0, ROUTE_PUBLIC, public_preferences_page },
	{ "POST", "/p/{}", 0, ROUTE_PUBLIC | FORM, public_preferences },
	{ "GET", "/p/data/{}", 0, ROUTE_PUBLIC, public_data_page },
	{ "HEAD", "/p/data/{}", 0, ROUTE_PUBLIC, public_data_page },
	{ "POST", "/p/data/{}/file", 0, ROUTE_PUBLIC | FORM, public_data_file },
	{ "POST", "/p/data/{}/erase", 0, ROUTE_PUBLIC | FORM, public_data_erase },
	{ "POST", "/p/data/{}/address", 0, ROUTE_PUBLIC | FORM, public_data_readdress },
	{ "GET", "/p/address/{}", 0, ROUTE_PUBLIC, public_address_page },
	{ "HEAD", "/p/address/{}", 0, ROUTE_PUBLIC, public_address_page },
	{ "POST", "/p/address/{}", 0, ROUTE_PUBLIC | FORM, public_address },
	{ "POST", "/p/{}/data", 0, ROUTE_PUBLIC | FORM, public_data_ask },
	{ "GET", "/f/{}", 0, ROUTE_PUBLIC, public_form },
	{ "GET", "/f/{}/style.css", 0, ROUTE_PUBLIC, public_form_style },
	{ "POST", "/f/{}", 0, ROUTE_PUBLIC | FORM, public_form_send },
	{ "GET", "/f/confirm/{}", 0, ROUTE_PUBLIC, public_confirm_page },
	{ "HEAD", "/f/confirm/{}", 0, ROUTE_PUBLIC, public_confirm_page },
	{ "POST", "/f/confirm/{}", 0, ROUTE_PUBLIC | FORM, public_confirm },
	{ "GET", "/assets/{}", 0, 0, page_asset },
	{ "GET", "/admin", 0, VIEWER, page_dashboard },
	{ "GET", "/admin/deliverability", 0, VIEWER, page_deliverability },
	{ "GET", "/admin/deliverability/numbers.csv", 0, VIEWER, api_arrivals_csv },
	{ "GET", "/admin/suppressions", 0, VIEWER, page_suppressions },
	{ "POST", "/admin/suppressions", 0, EDITOR | FORM, page_suppression_change },
	{ "GET", "/admin/suppressions/{}", 0, VIEWER, page_suppression },
	{ "POST", "/admin/suppressions/{}", 0, EDITOR | FORM, page_suppression_change },
	{ "GET", "/admin/dns", 0, VIEWER, page_dns },
	{ "POST", "/admin/dns", 0, EDITOR | FORM, page_dns_check },
	{ "GET", "/admin/contacts", 0, VIEWER, page_contacts },
	{ "GET", "/admin/contacts/new", 0, EDITOR, page_contact_new },
	{ "POST", "/admin/contacts/new", 0, EDITOR | FORM, page_contact_add },
	{ "GET", "/admin/contacts/export", 0, EXPORTER, page_export },
	{ "GET", "/admin/contacts/{}", 0, VIEWER, page_contact_show },
	{ "POST", "/admin/contacts/{}", 0, EDITOR | FORM, page_contact_save },
	{ "POST", "/admin/contacts/{}/erase", 0, EDITOR | FORM, page_contact_erase },
	{ "GET", "/admin/contacts/{}/export", 0, EXPORTER, api_contact_export },
	{ "GET", "/admin/lists", 0, VIEWER, page_lists },
	{ "POST", "/admin/lists", 0, EDITOR | FORM, page_list_add },
	{ "GET", "/admin/lists/{}", 0, EDITOR, page_list_show },
	{ "POST", "/admin/lists/{}", 0, EDITOR | FORM, page_list_save },
	{ "POST", "/admin/lists/{}/delete", 0, EDITOR | FORM, page_list_delete },
	{ "GET", "/admin/attributes", 0, VIEWER, page_attributes },
	{ "POST", "/admin/attributes", 0, EDITOR | FORM, page_attribute_add },
	{ "GET", "/admin/attributes/{}", 0, EDITOR, page_attribute_show },
	{ "POST", "/admin/attributes/{}", 0, EDITOR | FORM, page_attribute_save },
	{ "POST", "/admin/attributes/{}/delete", 0, EDITOR | FORM, page_attribute_delete },
	{ "GET", "/admin/imports", 0, EDITOR, page_imports },
	{ "POST", "/admin/imports", 0, EDITOR | ROUTE_TAKES_UPLOAD, page_import_bring },
	{ "GET", "/admin/imports/{}", 0, EDITOR, page_import_show },
	{ "POST", "/admin/imports/{}/plan", 0, EDITOR | FORM, page_import_plan },
	{ "POST", "/admin/imports/{}/run", 0, EDITOR | FORM, page_import_run },
	{ "POST", "/admin/imports/{}/cancel", 0, EDITOR | FORM, page_import_cancel },
	{ "POST", "/admin/imports/{}/undo", 0, EDITOR | FORM, page_import_undo },
	{ "GET", "/admin/imports/{}/report", 0, EDITOR, api_import_report },
	{ "GET", "/admin/account", 0, VIEWER, page_account },
	{ "POST", "/admin/account", 0, VIEWER | FORM, page_account_save },
	{ "POST", "/admin/account/password", 0, VIEWER | FORM, page_password_change },
	{ "POST", "/admin/account/sessions/end", 0, VIEWER | FORM, page_sessions_end },
	{ "GET", "/admin/account/codes", 0, VIEWER, page_codes },
	{ "POST", "/admin/account/codes", 0, VIEWER | FORM, page_codes_on },
	{ "POST", "/admin/account/codes/off", 0, VIEWER | FORM, page_codes_off },
	{ "GET", "/admin/templates", 0, VIEWER, page_templates },
	{ "POST", "/admin/templates", 0, EDITOR | FORM, page_templates_add },
	{ "GET", "/admin/templates/new", 0, EDITOR, page_template_new },
	{ "POST", "/admin/templates/look", 0, EDITOR | FORM, page_template_look },
	{ "GET", "/admin/templates/bases/{}/frame", 0, VIEWER, page_template_base },
	{ "GET", "/admin/templates/{}", 0, VIEWER, page_template },
	{ "POST", "/admin/templates/{}", 0, EDITOR | FORM, page_template_save },
	{ "GET", "/admin/templates/{}/edit", 0, EDITOR, page_template_edit },
	{ "GET", "/admin/templates/{}/frame", 0, VIEWER, page_template_frame },
	{ "POST", "/admin/templates/{}/test", 0, EDITOR | FORM, page_template_test },
	{ "POST", "/admin/templates/{}/delete", 0, EDITOR | FORM, page_template_delete },
	{ "GET", "/admin/templates/{}/versions", 0, VIEWER, page_template_versions },
	{ "GET", "/admin/templates/{}/versions/{}", 0, VIEWER, page_template_version },
	{ "POST", "/admin/templates/{}/versions/{}", 0, EDITOR | FORM, page_template_restore },
	{ "GET", "/admin/segments", 0, VIEWER, page_segments },
	{ "GET", "/admin/segments/new", 0, EDITOR, page_segment_new },
	{ "POST", "/admin/segments", 0, EDITOR | FORM, page_segment_form },
	{ "GET", "/admin/segments/{}", 0, VIEWER, page_segment },
	{ "POST", "/admin/segments/{}", 0, EDITOR | FORM, page_segment_form },
	{ "GET", "/admin/segments/{}/edit", 0, EDITOR, page_segment_edit },
	{ "GET", "/admin/segments/{}/export", 0, EXPORTER, api_segment_export },
	{ "POST", "/admin/segments/{}/delete", 0, EDITOR | FORM, page_segment_delete },
	{ "GET", "/admin/campaigns", 0, VIEWER, page_campaigns },
	{ "POST", "/admin/campaigns", 0, EDITOR | FORM, page_campaigns_add },
	{ "GET", "/admin/campaigns/new", 0, EDITOR, page_campaign_new },
	{ "POST", "/admin/campaigns/release", 0, EDITOR | FORM, page_campaigns_release },
	{ "GET", "/admin/campaigns/{}", 0, VIEWER, page_campaign },
	{ "POST", "/admin/campaigns/{}", 0, EDITOR | FORM, page_campaign_save },
	{ "GET", "/admin/campaigns/{}/edit", 0, EDITOR, page_campaign_edit },
	{ "GET", "/admin/campaigns/{}/preview", 0, VIEWER, page_campaign_preview },
	{ "GET", "/admin/campaigns/{}/frame", 0, VIEWER, page_campaign_frame },
	{ "GET", "/admin/campaigns/{}/report.csv", 0, VIEWER, page_campaign_csv },
	{ "GET", "/admin/campaigns/{}/segments", 0, VIEWER, page_campaign_segments },
	{ "POST", "/admin/campaigns/{}/test", 0, EDITOR | FORM, page_campaign_test },
	{ "POST", "/admin/campaigns/{}/{}", 0, EDITOR | FORM, page_campaign_order },
	{ "GET", "/admin/images", 0, VIEWER, page_images },
	{ "POST", "/admin/images", 0, EDITOR | ROUTE_TAKES_UPLOAD | ROUTE_IMAGES,
	  page_images_bring },
	{ "GET", "/admin/images/{}", 0, VIEWER, page_image },
	{ "POST", "/admin/images/{}", 0, EDITOR | FORM, page_image_save },
	{ "POST", "/admin/images/{}/delete", 0, EDITOR | FORM, page_image_delete },
	{ "GET", "/admin/sequences", 0, VIEWER, page_sequences },
	{ "POST", "/admin/sequences", 0, EDITOR | FORM, page_sequences_add },
	{ "GET", "/admin/sequences/new", 0, EDITOR, page_sequence_new },
	{ "GET", "/admin/sequences/{}", 0, VIEWER, page_sequence },
	{ "POST", "/admin/sequences/{}", 0, EDITOR | FORM, page_sequence_save },
	{ "GET", "/admin/sequences/{}/edit", 0, EDITOR, page_sequence_edit },
	{ "GET", "/admin/sequences/{}/contacts", 0, VIEWER, page_enrolments },
	{ "POST", "/admin/sequences/{}/contacts", 0, EDITOR | FORM, page_enrolment_add },
	{ "POST", "/admin/sequences/{}/contacts/{}/leave", 0, EDITOR | FORM, page_enrolment_end },
	{ "POST", "/admin/sequences/{}/steps", 0, EDITOR | FORM, page_steps_add },
	{ "GET", "/admin/sequences/{}/steps/new", 0, EDITOR, page_step_new },
	{ "GET", "/admin/sequences/{}/steps/{}", 0, EDITOR, page_step_edit },
	{ "POST", "/admin/sequences/{}/steps/{}", 0, EDITOR | FORM, page_step_save },
	{ "POST", "/admin/sequences/{}/steps/{}/order", 0, EDITOR | FORM, page_step_order },
	{ "POST", "/admin/sequences/{}/{}", 0, EDITOR | FORM, page_sequence_order },
	{ "GET", "/admin/users", 0, OWNER, page_users },
	{ "POST", "/admin/users", 0, OWNER | FORM, page_users_invite },
	{ "GET", "/admin/users/{}", 0, OWNER, page_user },
	{ "POST", "/admin/users/{}", 0, OWNER | FORM, page_user_change },
	{ "GET", "/admin/audit", 0, OWNER, page_audit },
	{ "GET", "/admin/forms", 0, VIEWER, page_forms },
	{ "POST", "/admin/forms", 0, EDITOR | FORM, page_form_create },
	{ "GET", "/admin/forms/new", 0, EDITOR, page_form_new },
	{ "POST", "/admin/forms/preferences", 0, EDITOR | FORM, page_preferences_save },
	{ "GET", "/admin/forms/{}", 0, EDITOR, page_form_edit },
	{ "POST", "/admin/forms/{}", 0, EDITOR | FORM, page_form_save },
	{ "POST", "/admin/forms/{}/delete", 0, EDITOR | FORM, page_form_delete },
	{ "GET", "/admin/settings", 0, OWNER, page_settings },
	{ "POST", "/admin/settings", 0, OWNER | FORM, page_settings_save },
	{ "GET", "/admin/login", 0, OWN_SITE, page_login },
	{ "POST", "/admin/login", 0, OWN_SITE | FORM, page_login_try },
	{ "GET", "/admin/login/code", 0, OWN_SITE, page_code },
	{ "POST", "/admin/login/code", 0, OWN_SITE | FORM, page_code_try },
	{ "POST", "/admin/logout", 0, VIEWER | FORM, page_logout },
	{ "POST", "/admin/look", 0, OWN_SITE | FORM, page_look },
	{ "GET", "/admin/welcome/{}", 0, OWN_SITE, page_welcome },
	{ "POST", "/admin/welcome/{}", 0, OWN_SITE | FORM, page_welcome_take },
	{ "GET", "/api/v1/openapi.json", 0, 0, api_document },
	{ "POST", "/api/v1/messages", SEND, JSON, api_messages_send },
	{ "GET", "/api/v1/messages/{}", SEND | READ, 0, api_message_show },
	{ "GET", "/api/v1/messages/{}/recipients", SEND | READ, 0, api_message_recipients },
	{ "GET", "/api/v1/suppressions", READ, 0, api_suppressions_list },
	{ "POST", "/api/v1/suppressions", SEND, JSON, api_suppressions_add },
	{ "GET", "/api/v1/suppressions/{}", READ, 0, api_suppression_show },
	{ "DELETE", "/api/v1/suppressions/{}", ADMIN, 0, api_suppression_remove },
	{ "GET", "/api/v1/campaigns", READ, 0, api_campaigns_list },
	{ "POST", "/api/v1/campaigns", SEND, JSON, api_campaigns_create },
	{ "GET", "/api/v1/campaigns/{}", READ, 0, api_campaign_show },
	{ "POST", "/api/v1/campaigns/{}/start", ADMIN, 0, api_campaign_start },
	{ "POST", "/api/v1/campaigns/{}/pause", ADMIN, 0, api_campaign_pause },
	{ "POST", "/api/v1/campaigns/{}/resume", ADMIN, 0, api_campaign_resume },
	{ "POST", "/api/v1/campaigns/{}/cancel", ADMIN, 0, api_campaign_cancel },
	{ "GET", "/api/v1/mailings", READ, 0, api_mailings_list },
	{ "POST", "/api/v1/mailings", SEND, JSON, api_mailings_create },
	{ "GET", "/api/v1/mailings/{}", READ, 0, api_mailing_show },
	{ "PATCH", "/api/v1/mailings/{}", SEND, JSON, api_mailing_change },
	{ "DELETE", "/api/v1/mailings/{}", SEND, 0, api_mailing_delete },
	{ "POST", "/api/v1/mailings/{}/schedule", ADMIN, MAY_JSON, api_mailing_schedule },
	{ "POST", "/api/v1/mailings/{}/unschedule", ADMIN, 0, api_mailing_unschedule },
	{ "POST", "/api/v1/mailings/{}/pause", ADMIN, 0, api_mailing_pause },
	{ "POST", "/api/v1/mailings/{}/resume", ADMIN, MAY_JSON, api_mailing_resume },
	{ "POST", "/api/v1/mailings/{}/cancel", ADMIN, 0, api_mailing_cancel },
	{ "POST", "/api/v1/mailings/{}/resend", SEND, JSON, api_mailing_resend },
	{ "POST", "/api/v1/mailings/{}/test", SEND, JSON, api_mailing_test },
	{ "GET", "/api/v1/identity", READ, 0, api_identity_show },
	{ "POST", "/api/v1/identity/check", ADMIN, 0, api_identity_check },
	{ "GET", "/api/v1/sequences", READ, 0, api_sequences_list },
	{ "POST", "/api/v1/sequences", SEND, JSON, api_sequences_create },
	{ "GET", "/api/v1/sequences/{}", READ, 0, api_sequence_show },
	{ "PATCH", "/api/v1/sequences/{}", SEND, JSON, api_sequence_change },
	{ "DELETE", "/api/v1/sequences/{}", SEND, 0, api_sequence_delete },
	{ "POST", "/api/v1/sequences/{}/start", ADMIN, 0, api_sequence_start },
	{ "POST", "/api/v1/sequences/{}/pause", ADMIN, 0, api_sequence_pause },
	{ "POST", "/api/v1/sequences/{}/archive", ADMIN, 0, api_sequence_archive },
	{ "POST", "/api/v1/sequences/{}/steps", SEND, JSON, api_steps_add },
	{ "PATCH", "/api/v1/sequences/{}/steps/{}", SEND, JSON, api_step_change },
	{ "DELETE", "/api/v1/sequences/{}/steps/{}", SEND, 0, api_step_delete },
	{ "POST", "/api/v1/sequences/{}/steps/{}/move", SEND, JSON, api_step_move },
	{ "GET", "/api/v1/sequences/{}/contacts", CONTACTS, 0, api_enrolments_list },
	{ "POST", "/api/v1/sequences/{}/contacts", CONTACTS, JSON, api_enrolments_add },
	{ "GET", "/api/v1/sequences/{}/contacts/{}", CONTACTS, 0, api_enrolment_show },
	{ "DELETE", "/api/v1/sequences/{}/contacts/{}", CONTACTS, 0, api_enrolment_end },
	{ "POST", "/api/v1/events", CONTACTS, JSON, api_events_add },
	{ "GET", "/api/v1/images", READ, 0, api_images_list },
	{ "POST", "/api/v1/images", SEND, FILE_BODY | ROUTE_IMAGES, api_images_add },
	{ "GET", "/api/v1/images/{}", READ, 0, api_image_show },
	{ "PATCH", "/api/v1/images/{}", SEND, JSON, api_image_change },
	{ "DELETE", "/api/v1/images/{}", SEND, 0, api_image_delete },
	{ "GET", "/api/v1/hold", READ, 0, api_hold_show },
	{ "DELETE", "/api/v1/hold", ADMIN, 0, api_hold_release },
	{ "GET", "/api/v1/mailings/{}/report", READ, 0, api_mailing_report },
	{ "GET", "/api/v1/mailings/{}/report.csv", READ, 0, api_mailing_report_csv },
	{ "GET", "/api/v1/contacts", CONTACTS, 0, api_contacts_list },
	{ "POST", "/api/v1/contacts", CONTACTS, JSON, api_contacts_add },
	{ "GET", "/api/v1/contacts/export", CONTACTS, 0, api_contacts_export },
	{ "GET", "/api/v1/contacts/{}", CONTACTS, 0, api_contact_show },
	{ "PATCH", "/api/v1/contacts/{}", CONTACTS, JSON, api_contact_change },
	{ "DELETE", "/api/v1/contacts/{}", CONTACTS, 0, api_contact_erase },
	{ "GET", "/api/v1/contacts/{}/history", CONTACTS, 0, api_contact_history },
	{ "GET", "/api/v1/contacts/{}/export", CONTACTS, 0, api_contact_export },
	{ "GET", "/api/v1/lists", CONTACTS, 0, api_lists_list },
	{ "POST", "/api/v1/lists", CONTACTS, JSON, api_lists_add },
	{ "GET", "/api/v1/lists/{}", CONTACTS, 0, api_list_show },
	{ "PATCH", "/api/v1/lists/{}", CONTACTS, JSON, api_list_change },
	{ "DELETE", "/api/v1/lists/{}", CONTACTS, 0, api_list_delete },
	{ "GET", "/api/v1/attributes", CONTACTS, 0, api_attributes_list },
	{ "POST", "/api/v1/attributes", CONTACTS, JSON, api_attributes_add },
	{ "GET", "/api/v1/attributes/{}", CONTACTS, 0, api_attribute_show },
	{ "PATCH", "/api/v1/attributes/{}", CONTACTS, JSON, api_attribute_change },
	{ "DELETE", "/api/v1/attributes/{}", CONTACTS, 0, api_attribute_delete },
	{ "GET", "/api/v1/imports", CONTACTS, 0, api_imports_list },
	{ "POST", "/api/v1/imports", CONTACTS, FILE_BODY, api_imports_add },
	{ "GET", "/api/v1/imports/{}", CONTACTS, 0, api_import_show },
	{ "GET", "/api/v1/imports/{}/preview", CONTACTS, 0, api_import_preview },
	{ "POST", "/api/v1/imports/{}/plan", CONTACTS, JSON, api_import_plan },
	{ "POST", "/api/v1/imports/{}/try", CONTACTS, 0, api_import_try },
	{ "POST", "/api/v1/imports/{}/run", CONTACTS, 0, api_import_run },
	{ "POST", "/api/v1/imports/{}/cancel", CONTACTS, 0, api_import_cancel },
	{ "POST", "/api/v1/imports/{}/undo", CONTACTS, 0, api_import_undo },
	{ "GET", "/api/v1/imports/{}/report", CONTACTS, 0, api_import_report },
	{ "GET", "/api/v1/templates", READ, 0, api_templates_list },
	{ "POST", "/api/v1/templates", SEND, JSON, api_templates_add },
	{ "GET", "/api/v1/templates/{}", READ, 0, api_template_show },
	{ "PATCH", "/api/v1/templates/{}", SEND, JSON, api_template_change },
	{ "DELETE", "/api/v1/templates/{}", SEND, 0, api_template_delete },
	{ "POST", "/api/v1/templates/{}/preview", READ, JSON, api_template_preview },
	{ "POST", "/api/v1/templates/{}/test", SEND, JSON, api_template_test },
	{ "GET", "/api/v1/templates/{}/versions", READ, 0, api_template_versions },
	{ "GET", "/api/v1/templates/{}/versions/{}", READ, 0, api_template_version },
	{ "POST", "/api/v1/templates/{}/versions/{}/restore", SEND, 0, api_template_restore },
	{ "GET", "/api/v1/segments", READ, 0, api_segments_list },
	{ "POST", "/api/v1/segments", SEND, JSON, api_segments_add },
	{ "POST", "/api/v1/segments/count", READ, JSON, api_segments_count },
	{ "GET", "/api/v1/segments/{}", READ, 0, api_segment_show },
	{ "PATCH", "/api/v1/segments/{}", SEND, JSON, api_segment_change },
	{ "DELETE", "/api/v1/segments/{}", SEND, 0, api_segment_delete },
	{ "GET", "/api/v1/segments/{}/count", READ, 0, api_segment_count },
	{ "GET", "/api/v1/segments/{}/members", CONTACTS, 0, api_segment_members },
	{ "GET", "/api/v1/segments/{}/explain/{}", CONTACTS, 0, api_segment_explain },
	{ "GET", "/api/v1/segments/{}/export", CONTACTS, 0, api_segment_export },
	{ "GET", "/api/v1/forms", READ, 0, api_forms_list },
	{ "POST", "/api/v1/forms", ADMIN, JSON, api_forms_create },
	{ "GET", "/api/v1/forms/{}", READ, 0, api_form_show },
	{ "PUT", "/api/v1/forms/{}", ADMIN, JSON, api_form_change },
	{ "DELETE", "/api/v1/forms/{}", ADMIN, 0, api_form_delete },
	{ "GET", "/api/v1/deliverability", READ, 0, api_arrivals_list },
	{ "GET", "/api/v1/deliverability.csv", READ, 0, api_arrivals_csv },
	{ "GET", "/api/v1/users", ADMIN, 0, api_users_list },
	{ "POST", "/api/v1/users", ADMIN, JSON, api_users_invite },
	{ "GET", "/api/v1/users/{}", ADMIN, 0, api_user_show },
	{ "PATCH", "/api/v1/users/{}", ADMIN, JSON, api_user_change },
	{ "DELETE", "/api/v1/users/{}", ADMIN, 0, api_user_delete },
	{ "POST", "/api/v1/users/{}/block", ADMIN, 0, api_user_block },
	{ "POST", "/api/v1/users/{}/unblock", ADMIN, 0, api_user_unblock },
	{ "POST", "/api/v1/users/{}/link", ADMIN, 0, api_user_link },
	{ "POST", "/api/v1/users/{}/end-sessions", ADMIN, 0, api_user_end_sessions },
	{ "GET", "/api/v1/settings", READ | ADMIN, 0, api_settings_show },
	{ "PATCH", "/api/v1/settings", ADMIN, JSON, api_settings_change },
	{ "GET", "/api/v1/audit", ADMIN, 0, api_audit_list },
};

/* Percent-encoded text (RFC 3986 section 2.1). False: bad, too long, or with a NUL. */
static bool decode(struct slice text, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			bool has_digits = i + 2 < text.len;
			int high = has_digits ? ascii_hex_value(text.ptr[i + 1]) : -1;
			int low = has_digits ? ascii_hex_value(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return len > 0;
}

static bool matches(const char *pattern, struct slice path, struct call *call)
{
	struct slice rest = slice_of(pattern);
	char *argument = call->argument;

	while (rest.ptr && path.ptr) {
		struct slice wanted = slice_split(&rest, '/');
		struct slice given = slice_split(&path, '/');

		if (slice_equal(wanted, SLICE("{}"))) {
			if (!decode(given, argument, CALL_ARGUMENT_MAX))
				return false;
			argument = call->second;
		} else if (!slice_equal(wanted, given)) {
			return false;
		}
	}
	return !rest.ptr && !path.ptr;
}

static void allow(char *allowed, const char *method)
{
	size_t len = strlen(allowed);

	if (len > 0 && len + 2 < 64)
		memcpy(allowed + len, ", ", 3), len += 2;
	slice_copy(allowed + len, 64 - len, slice_of(method));
}

enum web_route_result web_route_find(struct call *call, struct slice method, struct slice target,
				     char *allowed)
{
	struct slice path = slice_split(&target, '?');

	call->query = target;
	allowed[0] = '\0';
	for (size_t i = 0; i < array_count(routes); i++) {
		if (!matches(routes[i].path, path, call))
			continue;
		if (slice_equal(method, slice_of(routes[i].method))) {
			call->route = &routes[i];
			return ROUTE_FOUND;
		}
		allow(allowed, routes[i].method);
	}
	return allowed[0] ? ROUTE_OTHER_METHOD : ROUTE_UNKNOWN;
}

bool web_query_number(struct call *call, struct slice name, u64 *out)
{
	struct slice rest = call->query;

	while (rest.ptr) {
		struct slice value = slice_split(&rest, '&');

		if (!slice_equal(slice_split(&value, '='), name))
			continue;
		if (value.ptr && slice_to_u64(value, out) && *out <= INT64_MAX)
			return true;
		call_refuse(call, 400, NULL, "%.*s in the query is no number", SLICE_FMT(name));
		return false;
	}
	return true;
}

bool web_route_admits(const struct web_route *route, const struct call *call)
{
	enum account_role role = call->session.role;

	if (call->session.user == 0 || call->session.wants_totp)
		return false;
	if (route->flags & ROUTE_OWNER)
		return role == ACCOUNT_OWNER;
	if (route->flags & ROUTE_EXPORTER)
		return session_may_export(call);
	if (route->flags & ROUTE_EDITOR)
		return role >= ACCOUNT_EDITOR;
	return true;
}

bool web_route_is_open(const struct call *call, const char *path)
{
	for (size_t i = 0; i < array_count(routes); i++) {
		if (strcmp(routes[i].method, "GET") == 0 && strcmp(routes[i].path, path) == 0)
			return web_route_admits(&routes[i], call);
	}
	return false;
}
