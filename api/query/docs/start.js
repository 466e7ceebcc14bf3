"use strict";

// The viewer shows no code samples by itself: this puts the commands of an operation above its answers.
function commands(system) {
  const h = system.React.createElement;
  return {
    wrapComponents: {
      responses: function (Responses) {
        return function (props) {
          const samples = system.specSelectors.specJson().getIn(["paths", props.path, props.method, "x-codeSamples"]);
          return h("div", null, samples && h("section", { className: "commands" },
            h("div", { className: "opblock-section-header" }, h("h4", null, "In a shell")),
            samples.toArray().map(function (sample, i) {
              return h("figure", { key: i }, h("figcaption", null, sample.get("label")), h("pre", { tabIndex: 0 }, sample.get("source")));
            })), h(Responses, props));
        };
      },
    },
  };
}

// The document's commands ask a server of the reader's own machine; here they ask the one that the reader looks at.
function here(response) {
  if (response.url.endsWith("/openapi.json")) {
    response.text = response.text.replaceAll("http://127.0.0.1:8080", window.location.origin);
  }
  return response;
}

// The viewer's links inside of buttons can't be told apart by a screen reader, nor reached apart by key.
function flat(system) {
  return {
    components: {
      DeepLink: function (props) {
        return system.React.createElement("span", null, props.text);
      },
    },
  };
}

window.addEventListener("load", function () {
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#api",
    plugins: [commands, flat],
    responseInterceptor: here,
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
  });
});
