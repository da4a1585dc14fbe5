// Ends a span of a child and its parent and sends both by a real exporter of OpenTelemetry.
//   node otel_js_export.js FOLDER http|proto|grpc URL COMPRESSION
// FOLDER has the packages in node_modules. Prints how the export ended, as JSON.
const [folder, transport, url, compression] = process.argv.slice(2);
const { createRequire } = require('node:module');
const need = createRequire(`${folder}/package.json`);
const { context, trace, SpanKind, SpanStatusCode } = need('@opentelemetry/api');
const { OTLPTraceExporter } = need(`@opentelemetry/exporter-trace-otlp-${transport}`);
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = need(
  '@opentelemetry/sdk-trace-base',
);

const ended = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(ended)] });
const tracer = provider.getTracer('shop');
const parent = tracer.startSpan('parent', {
  kind: SpanKind.CLIENT,
  attributes: { text: 'é', whole: 3, part: 0.5, truth: true, list: ['a', 'b'] },
});
const child = tracer.startSpan('child', {}, trace.setSpan(context.active(), parent));
child.addEvent('retry', { attempt: 2 });
child.setStatus({ code: SpanStatusCode.ERROR, message: 'timed out' });
child.end();
parent.end();

const exporter = new OTLPTraceExporter({ url, compression });
provider.forceFlush().then(() => {
  exporter.export(ended.getFinishedSpans(), async (result) => {
    await exporter.shutdown();
    const said = result.error ? String(result.error.message) : null;
    console.log(JSON.stringify({ code: result.code, said, trace: parent.spanContext().traceId }));
  });
});
