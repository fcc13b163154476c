# The page on port 7860, with the voice library in /voices:
#   docker build -t voiceswap .                    (CUDA; run with --gpus all, or without on a CPU)
#   docker build -t voiceswap --build-arg TORCH_INDEX_URL=URL .
#                                                  (URL: PyTorch's index of CPU wheels, for a small image)
#   docker run -p 7860:7860 -v voices:/voices -e VOICESWAP_AUTH=me:secret --stop-timeout 30 voiceswap
#                                                  (in 30 s what runs can finish)
FROM python:3.12-slim
ARG TORCH_INDEX_URL=""
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} \
    "torch>=2.11,<2.15" "torchaudio>=2.11,<2.12"
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY voiceswap voiceswap
COPY data_prep data_prep
RUN pip install --no-cache-dir ".[ui]" && useradd --create-home voiceswap \
    && mkdir /voices && chown voiceswap /voices
USER voiceswap
ENV VOICESWAP_VOICES=/voices
VOLUME /voices
EXPOSE 7860
HEALTHCHECK CMD curl -fsS http://localhost:7860/ -o /dev/null
STOPSIGNAL SIGTERM
CMD ["voiceswap", "ui", "--host", "0.0.0.0"]
