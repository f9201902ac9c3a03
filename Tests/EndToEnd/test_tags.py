"""Tags of KMS keys."""

import pytest

from support.expect import refused


def tags(kms, key):
    return kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]


def tag(key, value=""):
    return {"TagKey": key, "TagValue": value}


def test_tags_keep_their_order_and_are_changed_in_place(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("b", "1"), tag("a", "2")])
    kms.tag_resource(KeyId=key["Arn"], Tags=[tag("c", "3"), tag("b", "4")])
    assert tags(kms, key) == [tag("b", "4"), tag("a", "2"), tag("c", "3")]


def test_a_key_without_tags_lists_an_empty_list(kms, key):
    answer = kms.list_resource_tags(KeyId=key["KeyId"])
    assert answer["Tags"] == [] and answer["Truncated"] is False


def test_untag_resource_ignores_unknown_tags(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("a", "1"), tag("b", "2")])
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["b", "never set"])
    assert tags(kms, key) == [tag("a", "1")]


def test_tags_compare_by_their_bytes(kms, key):
    both = [tag("caf\u00e9", "composed"), tag("cafe\u0301", "decomposed")]
    kms.tag_resource(KeyId=key["KeyId"], Tags=both)
    assert tags(kms, key) == both
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["caf\u00e9"])
    assert tags(kms, key) == both[1:]


def test_duplicate_tags_are_refused(kms, key):
    with refused("TagException", "Duplicate tag keys"):
        kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("a", "1"), tag("a", "1")])


@pytest.mark.parametrize("reserved", ["aws:x", "AWS:x", "Aws:x"])
def test_the_tags_of_aws_are_reserved(kms, key, reserved):
    with refused("TagException", "Tags beginning with aws: are reserved"):
        kms.tag_resource(KeyId=key["KeyId"], Tags=[tag(reserved)])


def test_fifty_tags_a_key(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag(str(index)) for index in range(50)])
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("0", "changed")])
    with refused("TagException", "Too many tags"):
        kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("50")])
    assert len(tags(kms, key)) == 50


def test_more_than_fifty_tags_in_one_request(kms, key):
    with refused("TagException", "Too many tags"):
        kms.tag_resource(KeyId=key["KeyId"], Tags=[tag(str(index)) for index in range(51)])


def test_lengths_of_tags(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("k" * 128, "v" * 256)])
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{'v' * 257}' at 'tags.1.member.tagValue' failed to satisfy constraint: "
        "Member must have length less than or equal to 256"):
        kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("a", "v" * 257)])


def test_list_resource_tags_pages(kms, key):
    expected = [tag(f"k{index}", str(index)) for index in range(5)]
    kms.tag_resource(KeyId=key["KeyId"], Tags=expected)
    pages = list(kms.get_paginator("list_resource_tags").paginate(
        KeyId=key["KeyId"], PaginationConfig={"PageSize": 2}))
    assert [len(page["Tags"]) for page in pages] == [2, 2, 1]
    assert [entry for page in pages for entry in page["Tags"]] == expected


def test_tags_of_a_missing_key(kms):
    with refused("NotFoundException"):
        kms.list_resource_tags(KeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
