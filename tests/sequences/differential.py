#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""differential.py [--seed N] [--documents N]

Compares what wsgwseq ($WSGWSEQ, else ./wsgwseq) says with what others say:
XPath with xmllint (skipped where there is none), JSON with python's reader,
numbers with a table of what Java prints. Each difference is printed with
FAIL; the last line is "N compared, M differ"."""

import argparse
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
from xml.sax.saxutils import quoteattr

sys.dont_write_bytecode = True
import run as golden

NS = 'xmlns="http://ws.apache.org/ns/synapse"'
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

DOCUMENTS = [
    '<o id="7" z=""><i q="2">ab</i><i q="3.5">cd</i><e/><n>42</n>'
    '<t>  x y </t><m>one<b>two</b>three</m><u>\u00e4\u20ac</u></o>',
    '<p:o xmlns:p="urn:p" xmlns="urn:d"><p:i q="1">5</p:i><i q="9">6</i>'
    '<n>-0.25</n><t>true</t><m><![CDATA[<&]]></m></p:o>',
    '<i q="10"><i q="20"><i q="30">deep</i></i><n>1e3</n><t/>'
    '<m>a&amp;b &lt;</m></i>',
]
# Numbers, truths and strings.
SCALARS = [
    "count(//*[local-name()='i'])", "sum(//@q)", "count(//@*)",
    "number(//n)", "number('x')", "number(' 12 ')", "number('1e3')",
    "string-length('\u00e4\u20ac')", "string-length(//u)", "floor(-2.5)",
    "ceiling(2.1)", "round(2.5)", "round(-2.5)", "round(-0.2)", "7 mod 3",
    "-7 mod 3", "5 div 2", "1 div 0", "-1 div 0", "0 div 0", "2 * 3 - 1",
    "--3", "//n > 1", "//n = 42", "//@q = 3.5", "//@q != //@q",
    "//none = ''", "not(//none)", "boolean('false')", "boolean(0)",
    "boolean(//e)", "true() and false()", "true() or 1 div 0",
    "'a' = \"a\"", "'10' > 9", "lang('de')", "string(//none)",
    "string(//*[local-name()='m'])", "string(//*[local-name()='t'])",
    "concat('a', 1, true())", "concat(//n, '-', //none)",
    "substring('12345', 2, 3)", "substring('12345', 1.5, 2.6)",
    "substring('12345', 0 div 0, 3)", "substring('12345', -42, 1 div 0)",
    "substring('\u00e4b\u20acd', 2, 2)", "substring-before('a/b/c', '/')",
    "substring-after('a/b/c', '/')", "substring-after('abc', 'x')",
    "starts-with('abc', 'ab')", "contains('abc', '')",
    "normalize-space('  a   b ')", "normalize-space(//t)",
    "translate('bar', 'abc', 'AB')", "name(//*[local-name()='i'])",
    "local-name(//*[@q])", "namespace-uri(//*[local-name()='i'])",
    "count(//*[@q]/ancestor::*[@q])", "count(//i[1]/following-sibling::*)",
    "count(//*[@q][last()])", "count(//*[@q][position() < 2])",
    "string(//*[@q][2]/@q)", "string((//*[@q])[last()]/@q)",
    "count(//i | //n | //i)", "count(//text())",
    "count(//*[starts-with(local-name(), 'i') and @q > 2])",
    "string(//*[local-name()='n']/preceding-sibling::*[1])",
    "count(//i/descendant-or-self::node())", "count(//processing-instruction())",
    "count(//*[contains(., 'o')])", "string(//i[@q = 20]/i/@q)",
]
# Attributes and texts: one behind the other.
TEXTS = [
    "//@q", "//*[local-name()='i']/@q", "//@none", "//n/text()",
    "//*[local-name()='m']//text()", "(//@q)[2]", "//@*[. > 5]",
    "//@q | //@id", "//i[not(i)]/@q",
]
# One element: its own text without blanks around.
ELEMENTS = ["//*[local-name()='n']", "(//*[local-name()='m'])[1]",
            "//t[normalize-space()]", "(//i[text()])[1]"]

JAVA = [
    ("0", "0.0"), ("1", "1.0"), ("-1", "-1.0"), ("0 * -1", "-0.0"),
    ("100", "100.0"), ("0.1", "0.1"), ("0.1 + 0.2", "0.30000000000000004"),
    ("1 div 3", "0.3333333333333333"), ("2 div 3", "0.6666666666666666"),
    ("100 div 3", "33.333333333333336"), ("4.35 * 100", "434.99999999999994"),
    ("1.1 * 1.1", "1.2100000000000002"), ("0.001", "0.001"),
    ("0.00099", "9.9E-4"), ("0.0001", "1.0E-4"), ("0.00001", "1.0E-5"),
    ("999999.9", "999999.9"), ("9999999", "9999999.0"),
    ("9999999.5", "9999999.5"), ("10000000", "1.0E7"),
    ("12345678.9", "1.23456789E7"), ("123456789", "1.23456789E8"),
    ("1234567890123", "1.234567890123E12"),
    ("9007199254740993", "9.007199254740992E15"),
    ("123456789012345680", "1.2345678901234568E17"),
    ("1000000000000000000000", "1.0E21"), ("-12.50", "-12.5"),
    ("1 div 0", "Infinity"), ("-1 div 0", "-Infinity"), ("0 div 0", "NaN"),
]


def java_double(value):
    """Double.toString(): shortest digits, E outside of [1e-3, 1e7)."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if str(value)[0] == "-" else ""
    mantissa, _, exponent = ("%r" % abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + part) -
                                               len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    if 1e-3 <= abs(value) < 1e7:
        if point <= 0:
            return sign + "0." + "0" * -point + digits
        digits = digits.ljust(point, "0")
        return sign + digits[:point] + "." + (digits[point:] or "0")
    return "%s%s.%sE%d" % (sign, digits[0], digits[1:] or "0", point - 1)


# --- wsgwseq -----------------------------------------------------------------

class Case(golden.Case):
    def __init__(self, sequence, data, content_type):
        super().__init__("differential")
        self.artifacts = ['<sequence %s name="case">%s</sequence>' %
                          (NS, sequence)]
        self.input, self.content_type = data, content_type
        self.result = None
        self.checks = [self.keep]

    def keep(self, result):
        self.result = result


def ask(program, sequence, data, content_type):
    case = Case(sequence, data, content_type)
    wrong = golden.run(case, program)
    if wrong:
        raise SystemExit("wsgwseq: " + wrong)
    return case.result


def evaluate(program, expressions, document):
    """The text that each XPath gives in a log line."""
    logs = "".join('<log level="custom"><property name="v" expression=%s/>'
                   "</log>" % quoteattr(e) for e in expressions)
    result = ask(program, logs, document.encode(), "application/xml")
    if result.status != 0:
        raise SystemExit(result.stderr or result.fault_text())
    return [e["text"].partition(" = ")[2] for e in result.out["log"]]


# --- XPath -------------------------------------------------------------------

def xmllint(expression, document):
    envelope = '<s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>' % \
        (SOAP, document)
    done = subprocess.run(["xmllint", "--xpath", expression, "-"],
                          input=envelope.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True)
    text = done.stdout.decode()
    return text[:-1] if text.endswith("\n") else text


def expected_scalar(expression, document):
    text = xmllint(expression, document)
    return java_double(float(text)) if is_number(expression) else text


def is_number(expression):
    """Of the expressions above: do they give a number?"""
    head = expression.split("(")[0]
    if head in ("count", "sum", "number", "string-length", "floor",
                "ceiling", "round"):
        return True
    return expression[0] in "-0123456789"


def expected_texts(expression, document):
    count = int(xmllint("count(%s)" % expression, document))
    return "".join(xmllint("string((%s)[%d])" % (expression, i + 1), document)
                   for i in range(count))


def expected_element(expression, document):
    """None when there is not exactly one, with text of its own."""
    if xmllint("count(%s)" % expression, document) != "1":
        return None
    return expected_texts("(%s)/text()" % expression, document).strip() or None


def compare_xpath(program):
    for document in DOCUMENTS:
        rows = [(e, expected_scalar(e, document)) for e in SCALARS]
        rows += [(e, expected_texts(e, document)) for e in TEXTS]
        rows += [(e, expected_element(e, document)) for e in ELEMENTS]
        rows = [row for row in rows if row[1] is not None]
        got = evaluate(program, [e for e, _ in rows], document)
        for (expression, want), have in zip(rows, got):
            yield "%s of %s" % (expression, document), have, want


# --- numbers -----------------------------------------------------------------

def compare_numbers(program, dice):
    rows = list(JAVA)
    for _ in range(300):
        # A division of whole numbers: what printing does is in question,
        # not what libxml2 makes of decimal places.
        number = dice.randint(1, 10 ** dice.randint(1, 15) - 1)
        places = dice.randint(0, 18)
        rows.append(("%d div 1%s" % (number, "0" * places),
                     java_double(number / 10 ** places)))
    got = evaluate(program, [e for e, _ in rows], "<a/>")
    for (expression, want), have in zip(rows, got):
        yield expression, have, want


# --- JSON --------------------------------------------------------------------

WORDS = ["", "a", "\\n", "\\u00e4", "\u20ac", "\\\"", "\\\\", "/", "\\/",
         "\\ud83d\\ude00", "\U0001f600", "x y", "members", "\\u0000"]
NUMBERS = ["0", "-0", "1", "-12", "1.50", "1e3", "1E-2", "0.1", "-0.0e+1",
           "123456789012345678901234567890", "1e400"]
NOISE = list("{}[]:,\"\\0123-+.eEtfnu \t\n\r\x01\x7f/*'") + \
    ["\u00a0", "\ufeff", "NaN", "true", "nul", "01", "1.", ".5", "\\x"]


def value(dice, depth):
    pick = dice.random()
    blank = dice.choice(["", "", " ", "\n\t"])
    if depth and pick < .3:
        inner = ",".join(blank + value(dice, depth - 1)
                         for _ in range(dice.randint(0, 4)))
        return "[" + inner + "]"
    if depth and pick < .6:
        inner = ",".join('%s"%s"%s:%s' % (blank, dice.choice(WORDS), blank,
                                          value(dice, depth - 1))
                         for _ in range(dice.randint(0, 4)))
        return "{" + inner + blank + "}"
    if pick < .8:
        return '"' + "".join(dice.choices(WORDS, k=dice.randint(0, 3))) + '"'
    return dice.choice(NUMBERS + ["true", "false", "null"]) + blank


def spoiled(dice, text):
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(len(text))
        cut = dice.randint(0, 1)
        text = text[:at] + dice.choice(NOISE + [""]) + text[at + cut:]
    return text


def no_constant(word):
    raise ValueError(word)


def python_reads(text):
    """With "z" set to 1, or None for what is no JSON."""
    try:
        tree = json.loads(text, parse_constant=no_constant)
        # A surrogate without its other half is refused here.
        json.dumps(tree, ensure_ascii=False).encode()
        kind, pairs = golden.as_json(text)
    except (ValueError, TypeError, RecursionError):
        return None
    if kind != "object" or [k for k, _ in pairs].count("z") != 1:
        return None
    return kind, [(k, "1" if k == "z" else v) for k, v in pairs]


# The tree is read, changed and printed.
CHANGE = ('<property name="one" value="1"/><enrich><source type="property" '
          'property="one"/><target type="custom" xpath="json-eval($.z)"/>'
          "</enrich><respond/>")


def change(program, text):
    result = ask(program, CHANGE, text.encode(), "application/json")
    if result.status != 0 or not result.outputs():
        return None
    return golden.body_of(result.output()).decode()


def compare_json(program, dice, count):
    texts = []
    for i in range(count):
        text = '{"z":0,"w":%s}' % value(dice, 4)
        texts.append(spoiled(dice, text) if i % 2 else text)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for text, printed in zip(texts, pool.map(
                lambda t: change(program, t), texts)):
            want = python_reads(text)
            if want is None and nothing_to_change(text):
                continue
            got = printed and golden.as_json(printed)
            if got:
                got = got[0], [(k, "1" if k == "z" else v)
                               for k, v in got[1]]
            yield repr(text), got, want


def nothing_to_change(text):
    """JSON, but not with one z: nothing is asked of it."""
    try:
        tree = json.loads(text, parse_constant=no_constant)
        json.dumps(tree, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--documents", type=int, default=120)
    args = parser.parse_args()
    program = os.path.abspath(os.environ.get("WSGWSEQ", "./wsgwseq"))
    dice = random.Random(args.seed)
    parts = [compare_numbers(program, dice),
             compare_json(program, dice, args.documents)]
    if shutil.which("xmllint"):
        parts.append(compare_xpath(program))
    else:
        print("SKIP: there is no xmllint")
    compared = differ = 0
    for part in parts:
        for what, have, want in part:
            compared += 1
            if have != want:
                differ += 1
                print("FAIL: %s\n    got      %r\n    expected %r" %
                      (what, have, want))
    print("%d compared, %d differ" % (compared, differ))
    return 1 if differ or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
