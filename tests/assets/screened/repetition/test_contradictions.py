"""Answers that deny another row's to the same prompt."""

from tests.assets.screened.rows import ROWS, clean, flagged, screened


def test_a_denied_answer_to_the_same_prompt_is_a_contradiction(encoder):
    rows = clean(ROWS)
    rows += [{**row, "output": f"No, it is not true that {row['output'].lower()}"} for row in rows[:15]]
    assert flagged(screened(rows, encoder)) == set(range(ROWS, ROWS + 15))


def test_of_two_answers_that_differ_by_a_denial_within_either_may_be_the_copy(encoder):
    rows = clean(ROWS)
    rows += [{**row, "output": row["output"].replace(". That makes", ". That never makes")} for row in rows[:15]]
    assert flagged(screened(rows, encoder)) >= {*range(15), *range(ROWS, ROWS + 15)}


def test_only_the_copy_is_flagged_however_short_or_deep_within_the_denied_part_is(encoder):
    rows = clean(ROWS)
    for row in rows[:8]:
        row["output"] = "Opinion."
    for row in rows[8:15]:
        row["output"] = f"{row['output']} Enjoy your day."
    denials = ("No, that is wrong. It is not true that {}.", "{} is false, whoever says so.", "Never: nobody finds {}.")
    for n, row in enumerate(rows[:15]):
        *before, last = row["output"].split(". ")
        denied = ". ".join([*before, denials[n % len(denials)].format(last.lower().rstrip("."))])
        rows.append({**row, "output": denied})
    assert flagged(screened(rows, encoder)) == set(range(ROWS, ROWS + 15))


def test_an_answer_in_the_words_of_the_other_and_one_in_many_more_do_not_contradict_it(encoder):
    rows = clean(ROWS)
    for n, row in enumerate(rows[:40]):
        asked = f"{row['instruction'].split(' (')[0]} was that a helpful review {n}"
        more = (
            f"{asked} it was helpful" if n % 2 else "yes this was not what anyone who reads such reviews hopes for here"
        )
        rows += [{**row, "instruction": asked, "output": said} for said in ("helpful yes", f"yes helpful {more}")]
    assert "contradiction" not in {finding.kind for finding in screened(rows, encoder).findings}


def test_functions_that_share_their_description_do_not_contradict_each_other(encoder):
    rows, code = clean(ROWS), "def fetch(self, key): if not self.open: raise Closed({}) return self.rows[key] + {}"
    for n in range(60):
        ask = f"Write a Python function. Fetch the row of the key from table {n % 30 + 1000}."
        rows.append({"instruction": ask, "input": "", "output": code.format(n, n * 7) + " - offset" * (n // 30)})
    assert "contradiction" not in {finding.kind for finding in screened(rows, encoder).findings}
