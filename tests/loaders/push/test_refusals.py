from graphmind_loaders.push.refusals import BAD_DATA, NOT_FOUND, RefusalLog, Refused


def test_one_line_a_minute_tells_how_many_there_were(caplog):
    seconds = [0.0]
    log = RefusalLog(transport="http", now_s=lambda: seconds[0])

    for at_s, outcome in ((0, BAD_DATA), (1, BAD_DATA), (2, NOT_FOUND), (59, BAD_DATA),
                          (60, BAD_DATA), (61, BAD_DATA), (200, BAD_DATA)):  # fmt: skip
        seconds[0] = at_s
        log.note(Refused(outcome, "said"), "/v1/traces")

    lines = [record.getMessage().split(" kind=")[1] for record in caplog.records]
    assert lines == [
        "bad_data count=1 said='said'",
        "not_found count=1 said='said'",
        "bad_data count=3 said='said'",
        "bad_data count=2 said='said'",
    ]


def test_what_a_sender_says_cannot_forge_a_log_line(caplog):
    RefusalLog(transport="http").note(Refused(BAD_DATA, "a\nb"), "/x\nERROR forged")

    assert "\n" not in caplog.records[0].getMessage()
