// A web function with a server of its own. Nothing but node is needed: where Express is installed
// beside this file it answers, else node's own http module does, with the same routes.
"use strict";
const http = require("node:http");

const greeting = process.env.GREETING || "hello";

function hello(request) {
  return {
    message: `${greeting} from version ${request.headers["x-scf-version"]}`,
    path: request.url,
  };
}

function withExpress(express) {
  const app = express();
  app.get("/hello", (request, response) => response.json(hello(request)));
  return app;
}

function withoutExpress(request, response) {
  const found = request.method === "GET" && request.url.split("?")[0] === "/hello";
  const body = JSON.stringify(found ? hello(request) : { message: "not found" });
  response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
  response.end(body);
}

let application = withoutExpress;
try {
  application = withExpress(require("express"));
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
}

// PORT is the gateway's choice: several versions run at the same time.
http.createServer(application).listen(Number(process.env.PORT || 9000), "127.0.0.1");
