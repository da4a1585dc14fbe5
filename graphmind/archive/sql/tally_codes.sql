-- Failing traces by error code and the module where they went wrong, most first.
SELECT error_code AS code, fault_module AS module, sum(weight) AS failing
FROM traces
WHERE start_ns >= $from_ns AND start_ns < $until_ns
    AND ($every OR trace_id IN (FROM wanted))
    AND outcome NOT IN ('ok', 'incomplete') AND error_code IS NOT NULL
GROUP BY code, module
ORDER BY failing DESC, code, module;
