// Shows the API's description. Requests tried out here go with the reader's session and its CSRF token.
"use strict";

const place = document.getElementById("reference");
const csrf = () => (document.cookie.match(/(?:^|; )berth_csrf=([^;]*)/) || [])[1] || "";

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (request.method && request.method !== "GET") {
      request.headers["X-CSRFToken"] = csrf();
    }
    return request;
  },
});
