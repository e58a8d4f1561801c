import JSONLines

await Agent().serve(StandardInput.values())
