async () => {
  const { drawGraph } = await import("/assets/graph.js");
  const box = document.createElement("div");
  box.className = "graph tall";
  document.getElementById("main").append(box);
  const kinds = ["agent", "region", "tool", "module", "kv_key"];
  const nodes = Array.from({ length: 1500 }, (_, i) => ({
    node_id: `n${i}`, kind: kinds[i % 5], name: `node ${i}`, traces: 1 + ((i * 7) % 400), others: i, failing_share: (i % 10) / 10, mark: null,
    x: Math.cos(i * 2.4) * Math.sqrt(i / 1500), y: Math.sin(i * 2.4) * Math.sqrt(i / 1500),
  }));
  const edges = Array.from({ length: 5000 }, (_, i) => ({ source: `n${(i * 13) % 1500}`, target: `n${(i * 31 + 7) % 1500}`, kind: "TOUCHED", traces: 1 + (i % 50) }));
  const begun = performance.now();
  await drawGraph(box, { nodes, edges }, { onSelect: () => {} });
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return { ms: performance.now() - begun, canvases: box.querySelectorAll("canvas").length };
}
