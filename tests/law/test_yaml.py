"""The only reader of YAML: text stays text, every node has its place, surprises are refused with theirs."""

from __future__ import annotations

import pytest

from compliance.errors import LawError
from compliance.law.yaml import MAX_BYTES, MAX_DEPTH, Node, read_file, read_text


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(LawError) as caught:
        read_text(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("word", ["NO", "ON", "yes", "Y", "null", "~", "2010", "010", "1e3", "0x1F", "12:30:45", "2010-05-17", "true", ".nan", "1_000"])
def test_every_scalar_stays_the_text_it_is(word):
    assert read_text(f"a: {word}", "x.yaml").data() == {"a": word}


def test_every_value_and_key_knows_its_line_and_column():
    tree = read_text("a: 1\nb:\n  - x\n  - {c: y}\n", "x.yaml")
    below = tree.value["b"].value[1]
    assert (tree.keys["b"], tree.value["b"].value[0].line, below.value["c"].line, below.value["c"].column) == ((2, 1), 3, 4, 9)


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read_text(b"\xef\xbb\xbfa: b", "x.yaml").data() == {"a": "b"}


@pytest.mark.parametrize(("text", "where", "words"), [
    ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1", "the key 'a' stands here twice. Keep one."),
    ("a: &x 1\nb: *x\n", "x.yaml:", "anchors and aliases are not allowed"),
    ("a: &x {b: 1}\nc:\n  <<: *x\n", "x.yaml:", "anchors and aliases are not allowed"),
    ("a: &x [*x]\n", "x.yaml:", "anchor"),
    ("a: !!int 5\n", "x.yaml:1:4", "the tag tag:yaml.org,2002:int is not allowed"),
    ("a: !!python/object/apply:os.system [x]\n", "x.yaml:1:4", "is not allowed"),
    ("? [a, b]\n: 1\n", "x.yaml:1:3", "a key must be a word"),
    ("a: 1\n--- \nb: 2\n", "x.yaml:2", "not well-formed YAML"),
    ("a: 1\n b: 2\n", "x.yaml:2", "not well-formed YAML"),
    ("", "x.yaml:1:1", "the file is empty"),
    ("# only a remark\n", "x.yaml:1:1", "the file is empty"),
    (b"a: 1\nb: \xff\n", "x.yaml:2:1", "not UTF-8"),
    ("a:\n" + "[" * 500, "x.yaml:2:1", f"nested deeper than {MAX_DEPTH} levels"),
    ("[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5), "x.yaml:1:", f"nested deeper than {MAX_DEPTH} levels"),
    ("\n".join(" " * n + "a:" for n in range(MAX_DEPTH + 5)), "x.yaml:", f"nested deeper than {MAX_DEPTH} levels"),
    ("- " * 2000 + "x", "x.yaml:1:1", f"nested deeper than {MAX_DEPTH} levels"),
    ("a: " + "x" * MAX_BYTES, "x.yaml: the file has", "allowed are 2,000,000"),
])
def test_what_is_refused_is_named_with_its_place(text, where, words):
    lines = refused(text)
    assert any(line.startswith(where) and words in line for line in lines), lines


def test_all_faults_of_a_text_come_at_once():
    assert len(refused("a: !!int 5\na: 1\nb: !!float 2\n")) == 3


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(LawError, match="cannot be read"):
        read_file(tmp_path / "none.yaml")


def test_wrapped_values_come_back():
    data = {"a": ["x", {"b": "y"}], "c": ""}
    assert Node.wrap(data).data() == data
