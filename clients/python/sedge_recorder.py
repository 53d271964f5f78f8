"""Shows a PyTorch training run in Sedge, with its distance to both edges of stability. Copy this file; see README.md beside it."""
import array, json, urllib.parse, urllib.request
import torch
from torch.func import functional_call, jacrev, vmap


class SedgeRecorder:
    def __init__(self, url="http://127.0.0.1:4060", token=None, **run):  # run: id, name, config, steps, tags, model
        self.url, self.token = url, token
        self.id = self.post("runs", json.dumps(run).encode())["run"]["id"]
        self.next = self.post(f"runs/{self.id}/metrics", b"", "application/x-ndjson")["next"]

    def post(self, path, body, type="application/json"):
        headers = {"Content-Type": type, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data=body, headers=headers, method="POST")
        return json.load(urllib.request.urlopen(request, timeout=300))

    def metrics(self, step, **values):  # numbered, so that sending again after an error doubles nothing
        line = json.dumps({"sequence": self.next, "step": step, "values": values}).encode()
        self.next = self.post(f"runs/{self.id}/metrics", line, "application/x-ndjson")["next"]

    def probe(self, step, model, inputs, loss, preconditioner=None, **settings):  # settings: learningRate, batchSize, population, …
        params, rest = dict(model.named_parameters()), dict(model.named_buffers())
        outputs = lambda p, x: functional_call(model, ({**params, **p}, rest), (x[None],))[0].flatten()
        prob = torch.softmax(vmap(lambda x: outputs({}, x))(inputs).detach(), -1)[:, :, None]  # [n, C, 1]
        gram = 0
        for name, value in params.items():  # one array after the other: memory holds the Jacobian of one
            jac = vmap(lambda x: jacrev(lambda v: outputs({name: v}, x))(value.detach()).flatten(1))(inputs)  # [n, C, P]
            if preconditioner: jac = jac / preconditioner[name].sqrt().flatten()  # Adam: sqrt(v̂) + ε
            if loss == "cross-entropy": jac = prob.sqrt() * (jac - (prob * jac).sum(1, keepdim=True))  # AᵀA = diag(p) − ppᵀ
            gram = gram + torch.einsum("acp,bdp->acbd", jac, jac)
        query = {"step": step, "examples": len(inputs), "outputs": prob.shape[1], **settings}
        body = array.array("f", gram.flatten().tolist()).tobytes()
        return self.post(f"runs/{self.id}/probes?{urllib.parse.urlencode(query)}", body, "application/octet-stream")

    def finish(self, status="finished"):
        self.post(f"runs/{self.id}/finish", json.dumps({"status": status}).encode())
