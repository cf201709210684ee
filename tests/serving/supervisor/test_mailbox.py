"""Calls are made in one thread, in order, and those of a time when it has come."""

import threading

from slipway.serving.supervisor.mailbox import Mailbox


def test_calls_are_made_in_the_order_they_were_put() -> None:
    mailbox, made = Mailbox(), []
    for number in range(3):
        mailbox.post(made.append, number)
    for _ in range(3):
        mailbox.next()
    assert made == [0, 1, 2]


def test_a_call_of_later_waits_for_its_time_and_does_not_hold_up_others() -> None:
    mailbox, made = Mailbox(), []
    mailbox.later(0.05, made.append, "later")
    threading.Timer(0.01, mailbox.post, [made.append, "now"]).start()
    while len(made) < 2:
        mailbox.next()
    assert made == ["now", "later"]


def test_what_is_put_off_for_ever_keeps_nothing_from_being_done() -> None:
    mailbox, made = Mailbox(), []
    mailbox.later(float("inf"), made.append, "never")
    threading.Timer(0.01, mailbox.post, [made.append, "now"]).start()
    mailbox.next()
    assert made == ["now"]
