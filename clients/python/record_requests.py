"""Records what the recorder beside this file sends, for the server's tests, which run without Python:

    python3 record_requests.py ../../packages/server/src/ingest/probe/fixtures/pytorch-requests.json     (needs torch)

`expected` is computed another way: one backward pass for each example and output, in double precision.
"""
import base64, http.server, json, sys, threading
import torch
from sedge_recorder import SedgeRecorder

requests = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in ("Content-Type", "Authorization", "User-Agent") if name in self.headers}
        requests.append({"path": self.path, "headers": headers, "body": base64.b64encode(body).decode()})
        answer = json.dumps({"run": {"id": "pytorch"}, "next": 1 + sum("/metrics" in r["path"] and r["body"] != "" for r in requests)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def direct(model, inputs, loss):
    """λ_max and trace of Θ = J Jᵀ/n, J multiplied by the root of the loss's Hessian."""
    rows = []
    for x in inputs:
        output = model(x)
        jac = []
        for c in range(len(output)):
            grads = torch.autograd.grad(output[c], list(model.parameters()), retain_graph=True)
            jac.append(torch.cat([g.flatten() for g in grads]).double())
        jac = torch.stack(jac)
        if loss == "cross-entropy":
            p = torch.softmax(output.detach().double(), 0)
            values, vectors = torch.linalg.eigh(torch.diag(p) - torch.outer(p, p))
            jac = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T @ jac
        rows.append(jac)
    rows = torch.cat(rows)
    theta = rows @ rows.T / len(inputs)
    return {"lambdaMax": torch.linalg.eigvalsh(theta)[-1].item(), "trace": theta.trace().item()}


server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
torch.manual_seed(0)
inputs = torch.randn(8, 5)
model = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Tanh(), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 3)).eval()
batchless = lambda x: model(x[None])[0]
batchless.parameters = model.parameters
recorder = SedgeRecorder(f"http://127.0.0.1:{server.server_port}", token="a-token-of-32-characters-or-more", id="pytorch",
                         name="from PyTorch", config={"learningRate": 0.05, "batchSize": 2}, steps=20, tags=["torch"])
settings = {"learningRate": 0.05, "batchSize": 2, "population": 1000, "momentum": 0.9}
expected = []
for step, loss in ((10, "squared"), (20, "cross-entropy")):
    recorder.metrics(step, **{"loss/batch": 1.0 / step, "broken": float("nan")})
    recorder.probe(step, model, inputs, loss, **settings)
    expected.append({"step": step, **direct(batchless, inputs, loss)})
recorder.finish()
with open(sys.argv[1], "w") as out:
    json.dump({"torch": torch.__version__, "python": sys.version.split()[0], "expected": expected, "requests": requests}, out, indent=1)
    out.write("\n")
