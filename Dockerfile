# Head-to-Head in a container; its steps are those of the README. docs/how-to/run-in-a-container.md says how to use it.
# Apptainer: apptainer build headtohead.sif docker-daemon://headtohead:latest
ARG BASE=python:3.12-slim
FROM ${BASE}

# Wheels of PyTorch for the processor alone. For CUDA, take those of the usual package index:
# docker build --build-arg TORCH_INDEX= --tag headtohead:cuda .
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /opt/headtohead
COPY requirements.txt ./
RUN python3 -m venv .venv
RUN .venv/bin/python -m pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
RUN .venv/bin/python -m pip install --no-cache-dir chris_plugin==0.4.0
COPY . ./

# Data, runs and results are of the folder that is mounted here.
ENV PATH=/opt/headtohead/.venv/bin:$PATH PYTHONPATH=/opt/headtohead/src MPLBACKEND=Agg
WORKDIR /work
ENTRYPOINT ["python", "/opt/headtohead/main.py"]
CMD ["--help"]
