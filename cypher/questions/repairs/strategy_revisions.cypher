// Revisions of repair strategies
//
// Which revisions of which strategies are known, who proposed and approved each, and what does it say?
//
// parameters:
//   limit: integer = 1000     rows at most
// columns:
//   key             strategyId@revision
//   source          file it came from; library where it is shipped
//   enabled         may be chosen
//   proposed_by     who proposed it
//   proposed_ms     when, epoch ms
//   approved_by     who approved it
//   approved_ms     when the last of them did, epoch ms
//   document        its file, as JSON
MATCH (s:Strategy)
WHERE s.document IS NOT NULL
RETURN s.key AS key, s.source AS source, s.enabled AS enabled, s.proposedBy AS proposed_by,
       s.proposedMs AS proposed_ms, coalesce(s.approvedBy, []) AS approved_by,
       s.approvedMs AS approved_ms, s.document AS document
ORDER BY key
LIMIT $limit
