-- One row a trace: when its spans start, which append it last gained from and when that came,
-- whether its facts are of all its spans, whether its root ended, and since when a span has not.
-- Those that may still gain or change stand apart: each append looks through them.
CREATE TABLE live_extents (
    trace_id VARCHAR NOT NULL,
    first_ns BIGINT,
    last_ns BIGINT,
    gained BIGINT NOT NULL,
    gained_ms BIGINT NOT NULL,
    settled BOOLEAN NOT NULL,
    rooted BOOLEAN NOT NULL,
    open_ns BIGINT
);
CREATE TABLE past_extents AS FROM live_extents;
CREATE VIEW extents AS FROM live_extents UNION ALL FROM past_extents;
