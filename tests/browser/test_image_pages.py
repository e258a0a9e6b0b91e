"""Images for mail in a real browser."""


def test_images_are_brought_and_put_into_a_mail(drive):
    drive("images")
