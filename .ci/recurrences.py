#!/usr/bin/env python3
"""Prints 500 random rules of repetition with the dates that python3-dateutil
computes of them, for app/todo/testdata/recurrences.json."""
import datetime
import json
import random

from dateutil import rrule

random.seed(5545)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def some(choices, most=3):
    return random.sample(choices, random.randint(1, min(most, len(choices))))


def rule():
    freq = random.choice(["DAILY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"])
    parts = ["FREQ=" + freq]
    if random.random() < 0.4:
        parts.append(f"INTERVAL={random.randint(2, 6)}")
    by = []
    if random.random() < 0.35:
        by.append("BYMONTH=" + ",".join(str(m) for m in sorted(some(range(1, 13)))))
    if freq != "WEEKLY" and random.random() < 0.35:
        days = some([*range(1, 32), *range(-5, 0)])
        by.append("BYMONTHDAY=" + ",".join(map(str, days)))
    if random.random() < 0.45:
        days = some(DAYS, 5)
        if freq in ("MONTHLY", "YEARLY") and random.random() < 0.5:
            days = [f"{random.choice([1, 2, 3, 4, 5, -1, -2])}{d}" for d in days]
        by.append("BYDAY=" + ",".join(days))
    if by and random.random() < 0.3:
        by.append("BYSETPOS=" + random.choice(["1", "-1", "2", "1,-1", "-2"]))
    parts += by
    if random.random() < 0.3:
        parts.append("WKST=" + random.choice(DAYS))
    if random.random() < 0.15:
        parts.append(f"COUNT={random.randint(1, 12)}")
    elif random.random() < 0.15:
        parts.append(f"UNTIL={random.randint(2027, 2040)}{random.randint(1, 12):02}15")
    return ";".join(parts)


cases = []
while len(cases) < 500:
    start = datetime.datetime(2024, 1, 1) + datetime.timedelta(days=random.randint(0, 1500))
    text = rule()
    # The product says where a rule begins on a day that some months lack.
    if "BY" not in text and (start.day > 28):
        continue
    horizon = start.replace(year=start.year + 50, day=min(start.day, 28)) + datetime.timedelta(days=start.day - min(start.day, 28))
    dates = []
    for date in rrule.rrulestr(text, dtstart=start):
        if date > horizon or len(dates) == 8:
            break
        if date > start:
            dates.append(date.strftime("%Y-%m-%d"))
    cases.append({"rule": text, "start": start.strftime("%Y-%m-%d"), "dates": dates})
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
