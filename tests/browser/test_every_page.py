"""Signing in, codes, and what everybody sees first: in both languages, light and dark, on desk and phone."""


def test_signing_in_and_codes(drive):
    drive("sign_in")


def test_templates_are_written_and_looked_at(drive):
    drive("templates")


def test_pages_look_right_and_are_for_everybody(drive):
    drive("pages")
